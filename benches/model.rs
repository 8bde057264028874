//! M1 to M4: the sample pod, managed fields included, read and written as JSON and protobuf, and copied; W1: pods read one
//! by one and as a list, their strings shared or not. `benches/peers` measures k8s-openapi in the same run.

use orlop_benches::{Bench, CpuClock, Peer, pods};
use orlop_model::core::v1::Pod;
use orlop_model::{ListOf, Strings, json, protobuf};

const SAMPLE: &[u8] = include_bytes!("data/pod-sample.json");

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("model");
    let pod: Pod = json::from_slice(SAMPLE).expect("the sample is a Pod");
    let envelope = protobuf::to_vec(&pod);
    assert_eq!(protobuf::from_slice::<Pod>(&envelope).as_ref(), Ok(&pod), "both formats tell the same");

    let theirs = |value| [Peer::recorded("k8s-openapi 0.29", value)];
    bench.each("M1 JSON decoded and dropped", "µs", 1, &theirs(32.5), || json::from_slice::<Pod>(SAMPLE));
    let (_, problems) = json::from_slice_strict::<Pod>(SAMPLE).expect("the sample is a Pod");
    assert!(problems.is_empty(), "the sample has no unknown field");
    bench.each("M1 the same, strictly", "µs", 1, &[], || json::from_slice_strict::<Pod>(SAMPLE));
    bench.each("M2 JSON encoded", "µs", 1, &theirs(10.3), || json::to_vec(&pod));
    bench.each("M3 copied and dropped", "µs", 1, &theirs(11.5), || pod.clone());
    let go = |value| [Peer::recorded("Go corev1.Pod", value)];
    bench.each("M4 protobuf decoded and dropped", "µs", 1, &go(21.2), || {
        protobuf::from_slice::<Pod>(&envelope)
    });
    bench.each("M4 protobuf encoded", "µs", 1, &[], || protobuf::to_vec(&pod));

    let count = bench.size(1_000, 10_000);
    let texts: Vec<String> = (0..count).map(|i| pods::json(i, i + 1)).collect();
    let per_pod = |spent: CpuClock| spent.elapsed().as_secs_f64() * 1e6 / count as f64;
    bench.whole(&format!("W1 {count} pods, one by one"), "µs", &[], || {
        let start = CpuClock::now();
        for text in &texts {
            drop(json::from_slice::<Pod>(text.as_bytes()).expect("a pod"));
        }
        per_pod(start)
    });
    bench.whole(&format!("W1 {count} pods, strings shared"), "µs", &[], || {
        let start = CpuClock::now();
        let mut strings = Strings::new();
        for text in &texts {
            drop(json::from_slice_shared::<Pod>(text.as_bytes(), &mut strings).expect("a pod"));
        }
        per_pod(start)
    });
    let list = format!(
        r#"{{"apiVersion":"v1","kind":"PodList","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#,
        texts.join(",")
    );
    bench.whole(&format!("W1 a list of {count} pods"), "µs", &[], || {
        let start = CpuClock::now();
        let list: ListOf<Pod> = json::from_slice(list.as_bytes()).expect("a list of pods");
        assert_eq!(list.items.len(), count);
        drop(list);
        per_pod(start)
    });
    bench.finish()
}
