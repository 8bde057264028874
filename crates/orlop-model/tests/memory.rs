//! What objects cost in memory: bytes asked of the allocator plus those of the struct itself, on the pods that peers were
//! measured with.

use allocation_counter::measure;
use orlop_model::core::v1::Pod;
use orlop_model::{Strings, json};

const SAMPLE: &str = include_str!("../../../benches/data/pod-sample.json");
const W: &str = include_str!("../../../benches/data/pod-w.json.tmpl");

/// Bytes that stay allocated by what `make` returns, and it.
fn bytes<T>(make: impl FnOnce() -> T) -> (usize, T) {
    let mut made = None;
    let info = measure(|| made = Some(make()));
    let made = made.expect("it was made");
    (usize::try_from(info.bytes_current).expect("it is still there") + size_of::<T>(), made)
}

#[test]
fn the_sample_pod_fits_12_kb() {
    let (json_bytes, pod) = bytes(|| json::from_slice::<Pod>(SAMPLE.as_bytes()).unwrap());
    assert!(json_bytes <= 12_000, "{json_bytes} bytes");
    let envelope = orlop_model::protobuf::to_vec(&pod);
    let (protobuf_bytes, again) = bytes(|| orlop_model::protobuf::from_slice::<Pod>(&envelope).unwrap());
    assert!(protobuf_bytes <= 12_000, "{protobuf_bytes} bytes");
    assert_eq!(pod, again);
}

#[test]
fn further_pods_of_a_replica_set_fit_8_kb() {
    let mut strings = Strings::new();
    let _first: Pod = json::from_slice_shared(SAMPLE.as_bytes(), &mut strings).unwrap();
    // What differs from pod to pod: name, uid, addresses, node, ids of containers, times.
    let next = SAMPLE
        .replace("web-6d4cf56db6-x7k2p", "web-6d4cf56db6-q9z4d")
        .replace("node-0042", "node-0043")
        .replace("184467", "184999")
        .replace("containerd://", "containerd://0");
    assert_ne!(next, SAMPLE);
    let (bytes, _next) = bytes(|| json::from_slice_shared::<Pod>(next.as_bytes(), &mut strings).unwrap());
    assert!(bytes <= 8_000, "{bytes} bytes");
}

#[test]
fn the_w_pod_fits_4500_bytes() {
    let text =
        ["NAME", "NS", "UID", "OUID", "RV", "RS", "NODE", "IP"].iter().fold(W.to_owned(), |text, name| {
            let value = match *name {
                "UID" | "OUID" => "0b5ba5f5-5d4c-4a3f-9a50-b2c6b6f1a001",
                "NAME" => "web-1234-7c5d8bf9f7-00001",
                "NS" => "ns-0001",
                "IP" => "10.12.13.14",
                "NODE" => "node-0001",
                _ => "1234",
            };
            text.replace(&format!("@{name}@"), value)
        });
    let (bytes, pod) = bytes(|| json::from_slice::<Pod>(text.as_bytes()).unwrap());
    assert_eq!(pod.spec.containers.len(), 2);
    assert!(bytes <= 4_500, "{bytes} bytes");
}
