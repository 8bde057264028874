//! The pods that a Job creates.

use orlop_model::List;
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};

use super::tracked::Tracked;
use super::{COMPLETION_INDEX, IGNORED_FAILURE_COUNT, INDEX_FAILURE_COUNT, TRACKING_FINALIZER};
use crate::template;

/// Variable that tells the containers of an indexed Job their completion index.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The longest prefix that leaves room for a generated suffix in a label of 63 characters.
const MAX_PREFIX: usize = 58;

/// A pod from the Job's template: with the tracking finalizer, and for an indexed Job with what tells its index.
/// `replaced` is the failed pod of the same index whose failures it inherits.
pub(super) fn new_pod(job: &Job, index: Option<i32>, replaced: Option<&Tracked<'_>>) -> Pod {
    let mut pod = template::pod_from_template(job, &job.spec.template);
    let Pod { metadata, spec, .. } = &mut pod;
    if metadata.finalizers.iter().all(|finalizer| *finalizer != *TRACKING_FINALIZER) {
        metadata.finalizers.push(TRACKING_FINALIZER.into());
    }
    if let Some(index) = index {
        metadata.generate_name = prefix(&job.metadata.name, index).into();
        metadata.annotations.insert(COMPLETION_INDEX, index.to_string().into());
        metadata.labels.insert(COMPLETION_INDEX, index.to_string().into());
        spec.hostname = format!("{}-{index}", job.metadata.name).into();
        add_index_variable(&mut spec.init_containers);
        add_index_variable(&mut spec.containers);
        if job.spec.backoff_limit_per_index.is_some() {
            let (counted, ignored) = replaced.map_or((0, 0), failures_after);
            metadata.annotations.insert(INDEX_FAILURE_COUNT, counted.to_string().into());
            if ignored > 0 {
                metadata.annotations.insert(IGNORED_FAILURE_COUNT, ignored.to_string().into());
            }
        }
    }
    pod
}

/// Counted and ignored failures of an index after this pod of it failed.
fn failures_after(failed: &Tracked<'_>) -> (i32, i32) {
    let (counted, ignored) = (failed.failure_count(), failed.ignored_count());
    if failed.failure.counts() {
        (counted.saturating_add(1), ignored)
    } else {
        (counted, ignored.saturating_add(1))
    }
}

fn add_index_variable(containers: &mut List<Container>) {
    for container in containers {
        if container.env.iter().any(|variable| variable.name == INDEX_VARIABLE) {
            continue;
        }
        let field = ObjectFieldSelector {
            field_path: format!("metadata.labels['{COMPLETION_INDEX}']").into(),
            ..ObjectFieldSelector::default()
        };
        let source = EnvVarSource { field_ref: Some(Box::new(field)), ..EnvVarSource::default() };
        container.env.push(EnvVar {
            name: INDEX_VARIABLE.into(),
            value_from: Some(Box::new(source)),
            ..EnvVar::default()
        });
    }
}

/// `JOB-INDEX-`, the name of the Job cut to leave room for a generated suffix.
fn prefix(job: &str, index: i32) -> String {
    let suffix = format!("-{index}-");
    let room = MAX_PREFIX.saturating_sub(suffix.len());
    let job = job.get(..room).filter(|_| job.len() > room).unwrap_or(job);
    format!("{job}{suffix}")
}
