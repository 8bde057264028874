//! CronJobs.

use super::options::Options;
use super::rules::Rules;
use super::{Validate, job, schedule, warnings};
use crate::batch::v1::{CronJob, CronJobSpec};
use crate::{FieldError, FieldValue, names};

impl Validate for CronJob {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, None, &Options::default()));
        rules.check("metadata.name", |path| names::cronjob_name(path, &self.metadata.name));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = Options::after_template(&old.spec.job_template.spec.template);
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec, Some(&old.spec), &options));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings::host_name(&self.metadata.name);
        warnings.extend(warnings::of_job("spec.jobTemplate.spec", &self.spec.job_template.spec));
        warnings
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.metadata.generation != old.metadata.generation {
            warnings.extend(warnings::of_job("spec.jobTemplate.spec", &self.spec.job_template.spec));
        }
        if self.spec.schedule.contains("TZ") {
            // The doubled word is Kubernetes' own.
            warnings.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".to_owned());
        }
        warnings
    }
}

fn spec(rules: &mut Rules, spec: &CronJobSpec, old: Option<&CronJobSpec>, options: &Options) {
    if spec.schedule.is_empty() {
        rules.required("schedule", "");
    } else {
        schedule_of(rules, spec, old);
    }
    rules.not_negative("startingDeadlineSeconds", spec.starting_deadline_seconds.unwrap_or_default());
    if old.is_none_or(|old| old.time_zone != spec.time_zone)
        && let Some(zone) = &spec.time_zone
    {
        time_zone(rules, zone);
    }
    let policies = &["Allow", "Forbid", "Replace"];
    rules.required_one_of("concurrencyPolicy", spec.concurrency_policy.as_str(), policies);
    let job_spec = &spec.job_template.spec;
    rules.within("jobTemplate", |rules| {
        rules.within("spec", |rules| {
            job::spec(rules, job_spec, options);
            if let Some(selector) = &job_spec.selector {
                rules.invalid("selector", FieldValue::of(selector), "`selector` will be auto-generated");
            }
            if job_spec.manual_selector == Some(true) {
                rules.not_supported("manualSelector", true, &["nil", "false"]);
            }
        });
    });
    rules.not_negative("successfulJobsHistoryLimit", spec.successful_jobs_history_limit.unwrap_or_default());
    rules.not_negative("failedJobsHistoryLimit", spec.failed_jobs_history_limit.unwrap_or_default());
}

fn schedule_of(rules: &mut Rules, spec: &CronJobSpec, old: Option<&CronJobSpec>) {
    if let Err(reason) = schedule::check(&spec.schedule) {
        rules.invalid("schedule", &spec.schedule, reason);
    }
    // Zones in schedules are from before there was a field for them.
    let had_zone = old.is_some_and(|old| old.schedule.contains("TZ"));
    if spec.schedule.contains("TZ") {
        if !had_zone {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            rules.invalid("schedule", &spec.schedule, detail);
        } else if spec.time_zone.is_some() {
            let detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            rules.invalid("schedule", &spec.schedule, detail);
        }
    }
}

fn time_zone(rules: &mut Rules, zone: &str) {
    if zone.is_empty() {
        return rules.invalid("timeZone", zone, "timeZone must be nil or non-empty string");
    }
    let is_part = |part: &str| {
        (1..=14).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
            && !part.starts_with('-')
            && !matches!(part, "." | "..")
    };
    if !zone.split('/').all(is_part) {
        return rules.invalid("timeZone", zone, format!("unknown time zone {zone}"));
    }
    if zone.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        rules.invalid("timeZone", zone, detail);
    }
    if let Err(reason) = schedule::check_zone(zone) {
        rules.invalid("timeZone", zone, reason);
    }
}
