use orlop_model::{json, protobuf, core::v1::Pod};
fn main() {
    let text = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let what = std::env::args().nth(2).unwrap_or_default();
    let ours: Pod = json::from_slice(&text).unwrap();
    let theirs: k8s_openapi::api::core::v1::Pod = serde_json::from_slice(&text).unwrap();
    let pb = protobuf::to_vec(&ours);
    println!("pb {} bytes", pb.len());
    let time = |name: &str, f: &mut dyn FnMut()| {
        if !name.contains(&what) { return; }
        let mut best = f64::MAX;
        for _ in 0..60 {
            let t = std::time::Instant::now();
            for _ in 0..1000 { f(); }
            best = best.min(t.elapsed().as_secs_f64() * 1e3);
        }
        println!("{name} {best:.2} µs");
    };
    time("json decode ours", &mut || { std::hint::black_box(json::from_slice::<Pod>(&text).unwrap()); });
    time("serde decode ours", &mut || { std::hint::black_box(serde_json::from_slice::<Pod>(&text).unwrap()); });
    time("decode theirs", &mut || { std::hint::black_box(serde_json::from_slice::<k8s_openapi::api::core::v1::Pod>(&text).unwrap()); });
    time("json encode ours", &mut || { std::hint::black_box(json::to_vec(&ours)); });
    time("serde encode ours", &mut || { std::hint::black_box(serde_json::to_vec(&ours).unwrap()); });
    time("encode theirs", &mut || { std::hint::black_box(serde_json::to_vec(&theirs).unwrap()); });
    time("pb decode ours", &mut || { std::hint::black_box(protobuf::from_slice::<Pod>(&pb).unwrap()); });
    time("pb encode ours", &mut || { std::hint::black_box(protobuf::to_vec(&ours)); });
    time("clone ours", &mut || { std::hint::black_box(ours.clone()); });
}
