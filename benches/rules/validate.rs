//! The sample pod defaulted, prepared and validated, as a server does it with each write.

use orlop_benches::Bench;
use orlop_model::core::v1::Pod;
use orlop_model::defaults::SetDefaults;
use orlop_model::json;
use orlop_model::prepare::{self, Prepare};
use orlop_model::validate::{self, Validate};

use crate::SAMPLE;

pub(crate) fn run(bench: &mut Bench) {
    let sample: Pod = json::from_slice(SAMPLE).expect("the sample is a Pod");
    let mut old = sample.clone();
    old.set_defaults();
    let mut pod = old.clone();
    pod.prepare_for_create();
    assert_eq!(validate::create(&pod), [], "the sample can be created");
    assert_eq!(validate::update(&old, &old), [], "and stay as it is");

    bench.each("V1 copied, defaulted and validated", "µs", 1, &[], || {
        let mut pod = sample.clone();
        pod.set_defaults();
        pod.prepare_for_create();
        validate::create(&pod)
    });
    bench.each("V1 validated", "µs", 1, &[], || validate::create(&pod));
    bench.each("V1 the warnings", "µs", 1, &[], || pod.warnings_on_create());
    let mut new = old.clone();
    bench.each("V2 an update defaulted and validated", "µs", 1, &[], || {
        new.set_defaults();
        prepare::update(&mut new, &old);
        validate::update(&new, &old)
    });
    let mut broken = pod.clone();
    for container in &mut broken.spec.containers {
        container.name = "Not A Name".into();
    }
    bench.each("V3 with errors", "µs", 1, &[], || validate::create(&broken));
}
