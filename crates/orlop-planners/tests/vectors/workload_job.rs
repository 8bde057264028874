//! Family `workload_job`: one sync of a Job.

use jiff::Timestamp;
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::Pod;
use orlop_model::vectors::{Case, Check};
use orlop_planners::job::{self, Inputs, Memory};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    job: Job,
    #[serde(default)]
    pods: Option<Vec<Pod>>,
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let now: Timestamp = case.text("now").parse().map_err(|error: jiff::Error| error.to_string())?;
    let pods = input.pods.unwrap_or_default();
    let plan = job::plan(&Inputs::new(&input.job, &pods), &Memory::default(), now);
    let mut got = super::actions::actions(&plan)?;
    let mut want: Vec<Value> = case.get::<Option<_>>("actions")?.unwrap_or_default();
    if case.value["unordered"] == json!(true) {
        for list in [&mut got, &mut want] {
            for action in list.iter_mut() {
                *action = super::actions::sorted_lists(action);
            }
            list.sort_by_cached_key(Value::to_string);
        }
    }
    let mut check = Check::new();
    super::actions::compare(&mut check, &want, &got, true);
    check.finish()
}
