//! Rows of Jobs and CronJobs.

use jiff::Timestamp;

use super::workload::{CONTAINERS, IMAGES, SELECTOR, containers, images};
use super::{Cell, Column, NONE, Row, Tabular, UNSET, age, human_duration, since};
use crate::LabelSelector;
use crate::batch::v1::{CronJob, Job, JobConditionType};
use crate::core::v1::ConditionStatus;

impl Tabular for Job {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status", "Whether it runs, ended or waits."),
        Column::text("Completions", "How many pods succeeded, of how many."),
        Column::text("Duration", "How long it ran."),
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

impl Tabular for CronJob {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Schedule", "When it runs, as cron says it."),
        Column::text("Timezone", "Time zone of the schedule."),
        Column { type_: "boolean", ..Column::text("Suspend", "Whether it starts no further Jobs.") },
        Column::integer("Active", "How many of its Jobs run."),
        Column::text("Last Schedule", "Time since it last started a Job."),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let (spec, status) = (&self.spec, &self.status);
        let suspended = match spec.suspend {
            None => UNSET,
            Some(true) => "True",
            Some(false) => "False",
        };
        let last = status.last_schedule_time.map_or_else(|| NONE.to_owned(), |last| since(Some(last), now));
        let job = &spec.job_template.spec;
        Row::new([
            (&self.metadata.name).into(),
            (&spec.schedule).into(),
            spec.time_zone.as_deref().unwrap_or(NONE).into(),
            suspended.into(),
            Cell::count(status.active.len()),
            last.into(),
            age(self, now),
            containers(&job.template.spec),
            images(&job.template.spec),
            LabelSelector::display(job.selector.as_deref()).into(),
        ])
    }
}
