//! The pods of the workloads W1 to W8: one template, numbered.

use orlop_model::core::v1::Pod;
use orlop_model::{ObjectKey, Str};

const TEMPLATE: &str = include_str!("../data/pod-w.json.tmpl");

/// Name of pod `i`.
#[must_use]
pub fn name(i: usize) -> String {
    format!("web-{}-7c5d8bf9f7-{i:05x}", i / 10)
}

/// Namespace of pod `i`: one of 1,000.
#[must_use]
pub fn namespace(i: usize) -> String {
    format!("ns-{:04}", i % 1000)
}

/// Key of pod `i`, as an object's.
#[must_use]
pub fn object_key(i: usize) -> ObjectKey {
    ObjectKey { namespace: Some(Str::from(namespace(i))), name: Str::from(name(i)) }
}

/// Key of pod `i`, as text.
#[must_use]
pub fn key(i: usize) -> String {
    format!("{}/{}", namespace(i), name(i))
}

/// Pod `i` at a resource version, in JSON.
#[must_use]
pub fn json(i: usize, revision: usize) -> String {
    TEMPLATE
        .replace("@NAME@", &name(i))
        .replace("@NS@", &namespace(i))
        .replace("@RS@", &(i / 10).to_string())
        .replace("@UID@", &format!("{i:08x}-aaaa-4bbb-8ccc-{:012x}", i * 7919))
        .replace("@OUID@", &format!("{:08x}-dddd-4eee-8fff-{:012x}", i / 10, i / 10 * 104_729))
        .replace("@RV@", &revision.to_string())
        .replace("@NODE@", &format!("node-{:04}", i % 2000))
        .replace("@IP@", &format!("10.{}.{}.{}", i >> 16 & 255, i >> 8 & 255, i & 255))
}

/// Pod `i` at its first resource version.
///
/// # Panics
/// If the template is no Pod.
#[must_use]
pub fn pod(i: usize) -> Pod {
    serde_json::from_str(&json(i, i + 1)).expect("the template is a Pod")
}

/// Which of `n` objects event `e` of a workload changes: all in turn, in no order.
#[must_use]
pub fn touched(e: usize, n: usize) -> usize {
    ((e as u64).wrapping_mul(2_654_435_761) & 0xffff_ffff) as usize % n
}

#[cfg(test)]
mod tests {
    use orlop_model::{Object, Path};

    use super::*;

    #[test]
    fn the_bytes_are_those_that_the_peers_had() {
        assert_eq!(json(0, 1).len(), 3150);
        assert_eq!(json(12_345, 12_346).len(), 3173);
        assert_eq!((0..10_000).map(|i| json(i, i + 1).len()).sum::<usize>(), 31_669_642);
        assert_eq!(touched(0, 100_000), 0);
        assert_eq!([1, 2, 3, 4, 5].map(|e| touched(e, 100_000)), [35_761, 4_226, 39_987, 8_452, 76_917]);
    }

    #[test]
    fn they_are_pods() {
        let pod = pod(12_345);
        assert_eq!(pod.metadata.name, name(12_345).as_str());
        assert_eq!(pod.spec.containers.len(), 2);
        // Compared as objects: an empty lastState is written, and the template has none.
        let written = serde_json::to_vec(&pod).unwrap();
        assert_eq!(serde_json::from_slice::<Pod>(&written).unwrap(), pod);
        pod.unknown_fields(&mut Path::new(), &mut |path, _| panic!("unknown: {path:?}"));
    }
}
