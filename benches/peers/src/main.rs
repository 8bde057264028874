//! The sample pod, read and written by Orlop and by k8s-openapi in one run: the best of many rounds of each, alternating,
//! so that what else the machine does concerns both.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`

use std::hint::black_box;
use std::time::Instant;

use orlop_model::core::v1::Pod;
use orlop_model::{json, protobuf};

type Theirs = k8s_openapi::api::core::v1::Pod;

const SAMPLE: &[u8] = include_bytes!("../../data/pod-sample.json");
const ROUNDS: usize = 200;
const CALLS: usize = 100;

/// Microseconds of a call, on average over a round.
fn round(work: &dyn Fn()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}

/// The best rounds of both.
fn compare(ours: &dyn Fn(), theirs: &dyn Fn()) -> (f64, f64) {
    (0..ROUNDS).fold((f64::MAX, f64::MAX), |best, _| (best.0.min(round(ours)), best.1.min(round(theirs))))
}

fn main() {
    let ours: Pod = json::from_slice(SAMPLE).expect("the sample is a Pod");
    let theirs: Theirs = serde_json::from_slice(SAMPLE).expect("the sample is a Pod");
    let envelope = protobuf::to_vec(&ours);
    let rows: [(&str, &dyn Fn(), Option<&dyn Fn()>); 5] = [
        (
            "JSON decoded",
            &|| drop(black_box(json::from_slice::<Pod>(SAMPLE))),
            Some(&|| drop(black_box(serde_json::from_slice::<Theirs>(SAMPLE)))),
        ),
        (
            "JSON encoded",
            &|| drop(black_box(json::to_vec(&ours))),
            Some(&|| drop(black_box(serde_json::to_vec(&theirs)))),
        ),
        ("copied", &|| drop(black_box(ours.clone())), Some(&|| drop(black_box(theirs.clone())))),
        ("protobuf decoded", &|| drop(black_box(protobuf::from_slice::<Pod>(&envelope))), None),
        ("protobuf encoded", &|| drop(black_box(protobuf::to_vec(&ours))), None),
    ];
    println!("{:<18} {:>10} {:>16} {:>7}", "µs", "orlop", "k8s-openapi", "ratio");
    for (name, ours, theirs) in rows {
        match theirs {
            Some(theirs) => {
                let (ours, theirs) = compare(ours, theirs);
                println!("{name:<18} {ours:>10.2} {theirs:>16.2} {:>6.2}x", theirs / ours);
            }
            None => {
                let (best, _) = compare(ours, &|| {});
                println!("{name:<18} {best:>10.2} {:>16} {:>7}", "-", "-");
            }
        }
    }
}
