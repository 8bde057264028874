//! Rows of Deployments, ReplicaSets and Jobs.

use jiff::Timestamp;

use super::{Cell, Column, Row, Tabular, age, human_duration, joined};
use crate::LabelSelector;
use crate::apps::v1::{Deployment, ReplicaSet};
use crate::batch::v1::{Job, JobConditionType};
use crate::core::v1::{ConditionStatus, PodSpec};

const CONTAINERS: Column = Column::wide("Containers");
const IMAGES: Column = Column::wide("Images");
const SELECTOR: Column = Column::wide("Selector");

impl Tabular for Deployment {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Ready"),
        Column::text("Up-to-date"),
        Column::text("Available"),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let status = &self.status;
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", status.ready_replicas, self.spec.replicas.unwrap_or_default()).into(),
            Cell::count(status.updated_replicas),
            Cell::count(status.available_replicas),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(self.spec.selector.as_deref()).into(),
        ])
    }
}

impl Tabular for ReplicaSet {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::integer("Desired"),
        Column::integer("Current"),
        Column::integer("Ready"),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            Cell::count(self.spec.replicas.unwrap_or_default()),
            Cell::count(self.status.replicas),
            Cell::count(self.status.ready_replicas),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(self.spec.selector.as_deref()).into(),
        ])
    }
}

impl Tabular for Job {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status"),
        Column::text("Completions"),
        Column::text("Duration"),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let (spec, status) = (&self.spec, &self.status);
        let completions = match (spec.completions, spec.parallelism.unwrap_or_default()) {
            (Some(completions), _) => format!("{}/{completions}", status.succeeded),
            (None, parallelism @ 2..) => format!("{}/1 of {parallelism}", status.succeeded),
            (None, _) => format!("{}/1", status.succeeded),
        };
        let duration = status.start_time.map_or_else(String::new, |start| {
            let end = status.completion_time.map_or(now, |end| end.timestamp());
            human_duration(end.duration_since(start.timestamp()))
        });
        let pod = &spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            job_status(self).into(),
            completions.into(),
            duration.into(),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(spec.selector.as_deref()).into(),
        ])
    }
}

fn job_status(job: &Job) -> &'static str {
    let is = |type_: JobConditionType| {
        let mut conditions = job.status.conditions.iter();
        conditions.any(|condition| condition.type_ == type_ && condition.status == ConditionStatus::True)
    };
    match () {
        () if is(JobConditionType::Complete) => "Complete",
        () if is(JobConditionType::Failed) => "Failed",
        () if job.metadata.deletion_timestamp.is_some() => "Terminating",
        () if is(JobConditionType::Suspended) => "Suspended",
        () if is(JobConditionType::FailureTarget) => "FailureTarget",
        () if is(JobConditionType::SuccessCriteriaMet) => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn containers(pod: &PodSpec) -> Cell {
    joined(pod.containers.iter().map(|container| &container.name), ",").into()
}

fn images(pod: &PodSpec) -> Cell {
    joined(pod.containers.iter().map(|container| &container.image), ",").into()
}
