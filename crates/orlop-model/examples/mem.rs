#![allow(missing_docs, clippy::print_stdout)]
use orlop_model::core::v1::*;
fn main() {
    let text = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let mut keep = None;
    let info = allocation_counter::measure(|| {
        keep = Some(Box::new(serde_json::from_slice::<Pod>(&text).unwrap()));
    });
    println!("bytes {} allocs {}", info.bytes_current, info.count_current);
    println!(
        "Pod {} PodSpec {} PodStatus {} Container {} Volume {} ContainerStatus {} Meta {} Probe {} Env {} Tol {} Cond {} MFE {} RR {}",
        size_of::<Pod>(),
        size_of::<PodSpec>(),
        size_of::<PodStatus>(),
        size_of::<Container>(),
        size_of::<Volume>(),
        size_of::<ContainerStatus>(),
        size_of::<orlop_model::ObjectMeta>(),
        size_of::<Probe>(),
        size_of::<EnvVar>(),
        size_of::<Toleration>(),
        size_of::<PodCondition>(),
        size_of::<orlop_model::meta::v1::ManagedFieldsEntry>(),
        size_of::<ResourceRequirements>()
    );
    let t = std::time::Instant::now();
    for _ in 0..20000 {
        std::hint::black_box(serde_json::from_slice::<Pod>(&text).unwrap());
    }
    println!("decode {:?}", t.elapsed() / 20000);
    let pod = keep.unwrap();
    let t = std::time::Instant::now();
    for _ in 0..20000 {
        std::hint::black_box(serde_json::to_vec(&pod).unwrap());
    }
    println!("encode {:?}", t.elapsed() / 20000);
}
