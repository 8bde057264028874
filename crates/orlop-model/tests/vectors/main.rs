//! The families of vectors that this crate answers for. To add one: its file beside this one, a
//! module with a function that runs one case, a line in the list.

use std::process::ExitCode;

use orlop_model::vectors::{Family, run};

mod defaults;
mod kubectl_tables;
mod label_selector;
mod names;
mod patch;
mod pod_resources;
mod quantity;
mod ssa;
mod validation;

const FAMILIES: &[Family] = &[
    Family::new("defaults", defaults::run),
    Family::new("kubectl_tables", kubectl_tables::run),
    Family::new("label_selector", label_selector::run),
    Family::new("names", names::run),
    Family::raw("patch", patch::run),
    Family::new("pod_resources", pod_resources::run),
    Family::new("quantity", quantity::run),
    Family::new("ssa", ssa::run),
    Family::new("validation", validation::run),
];

fn main() -> ExitCode {
    run(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"), FAMILIES)
}
