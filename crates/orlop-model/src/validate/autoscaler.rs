//! HorizontalPodAutoscalers.

use super::Validate;
use super::resource_name::of_container;
use super::rules::{NOT_NEGATIVE, Rules};
use crate::autoscaling::v1;
use crate::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSourceType, MetricSpec, MetricTarget,
    MetricTargetType, ResourceMetricSource,
};
use crate::{FieldError, list, names};

const MAX_WINDOW: i32 = 3600;
const MAX_PERIOD: i32 = 1800;

const METRIC_TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

impl Validate for HorizontalPodAutoscaler {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, None));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec, Some(&old.spec)));
        rules.finish()
    }
}

/// The older version says the same in other words, and is checked in those of the newer.
impl Validate for v1::HorizontalPodAutoscaler {
    fn validate_create(&self) -> Vec<FieldError> {
        newer(self).validate_create()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        newer(self).validate_update(&newer(old))
    }
}

fn newer(older: &v1::HorizontalPodAutoscaler) -> HorizontalPodAutoscaler {
    let spec = &older.spec;
    let mut newer = HorizontalPodAutoscaler { metadata: older.metadata.clone(), ..Default::default() };
    newer.spec = HorizontalPodAutoscalerSpec {
        scale_target_ref: CrossVersionObjectReference {
            kind: spec.scale_target_ref.kind.clone(),
            name: spec.scale_target_ref.name.clone(),
            api_version: spec.scale_target_ref.api_version.clone(),
            ..Default::default()
        },
        min_replicas: spec.min_replicas,
        max_replicas: spec.max_replicas,
        ..Default::default()
    };
    if spec.target_cpu_utilization_percentage.is_some() {
        let target = MetricTarget {
            type_: MetricTargetType::Utilization,
            average_utilization: spec.target_cpu_utilization_percentage,
            ..Default::default()
        };
        let resource = ResourceMetricSource { name: "cpu".into(), target, ..Default::default() };
        newer.spec.metrics = list![MetricSpec {
            type_: MetricSourceType::Resource,
            resource: Some(Box::new(resource)),
            ..Default::default()
        }];
    }
    newer
}

/// What a reference to an object may say of the group of its API.
#[derive(Clone, Copy)]
struct Leniency {
    no_group: bool,
    anything: bool,
}

fn spec(rules: &mut Rules, spec: &HorizontalPodAutoscalerSpec, old: Option<&HorizontalPodAutoscalerSpec>) {
    let lowest = if old.is_some_and(|old| old.min_replicas == Some(0)) { 0 } else { 1 };
    if let Some(fewest) = spec.min_replicas
        && fewest < lowest
    {
        rules.invalid("minReplicas", fewest, format!("must be greater than or equal to {lowest}"));
    }
    if spec.max_replicas < 1 {
        rules.required("maxReplicas", "must be set and greater than 0");
    }
    if spec.min_replicas.is_some_and(|fewest| spec.max_replicas < fewest) {
        let detail = "must be greater than or equal to `minReplicas`";
        rules.invalid("maxReplicas", spec.max_replicas, detail);
    }
    let target = &spec.scale_target_ref;
    let strict = Leniency { no_group: target.kind == "ReplicationController", anything: false };
    let was_wrong = old.is_some_and(|old| {
        let strict =
            Leniency { no_group: old.scale_target_ref.kind == "ReplicationController", anything: false };
        api_version(&old.scale_target_ref.api_version, strict).is_some()
    });
    rules.within("scaleTargetRef", |rules| {
        reference(rules, target, Leniency { anything: was_wrong, ..strict });
    });
    let loose = Leniency { no_group: true, anything: false };
    let was_wrong = old.is_some_and(|old| {
        let objects = old.metrics.iter().filter_map(|metric| metric.object.as_ref());
        objects.into_iter().any(|object| api_version(&object.described_object.api_version, loose).is_some())
    });
    rules.each("metrics", &spec.metrics, |rules, spec| {
        metric(rules, spec, Leniency { anything: was_wrong, ..loose });
    });
    let wakes =
        |metric: &MetricSpec| matches!(metric.type_, MetricSourceType::Object | MetricSourceType::External);
    if spec.min_replicas == Some(0) && !spec.metrics.iter().any(wakes) {
        let detail =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        rules.forbidden("metrics", detail);
    }
    rules.option("behavior", spec.behavior.as_deref(), |rules, behavior| {
        rules.option("scaleUp", behavior.scale_up.as_deref(), scaling);
        rules.option("scaleDown", behavior.scale_down.as_deref(), scaling);
    });
}

/// What is wrong with the version of an API.
fn api_version(text: &str, leniency: Leniency) -> Option<String> {
    if leniency.anything {
        return None;
    }
    if text.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {text}"));
    }
    let group = text.split_once('/').map_or("", |(group, _)| group);
    (group.is_empty() && !leniency.no_group).then(|| "apiVersion must specify API group".to_owned())
}

fn reference(rules: &mut Rules, reference: &CrossVersionObjectReference, leniency: Leniency) {
    for (field, text) in [("kind", &reference.kind), ("name", &reference.name)] {
        if text.is_empty() {
            rules.required(field, "");
        } else {
            rules.complaints(field, text, names::path_segment_name(text));
        }
    }
    if let Some(complaint) = api_version(&reference.api_version, leniency) {
        rules.invalid("apiVersion", &reference.api_version, complaint);
    }
}

fn scaling(rules: &mut Rules, scaling: &HPAScalingRules) {
    if let Some(seconds) = scaling.stabilization_window_seconds {
        if seconds < 0 {
            let detail = "must be greater than or equal to zero";
            rules.invalid("stabilizationWindowSeconds", seconds, detail);
        }
        if seconds > MAX_WINDOW {
            let detail = format!("must be less than or equal to {MAX_WINDOW}");
            rules.invalid("stabilizationWindowSeconds", seconds, detail);
        }
    }
    if let Some(policy) = &scaling.select_policy {
        rules.one_of("selectPolicy", policy.as_str(), &["Disabled", "Max", "Min"]);
    }
    if scaling.policies.is_empty() {
        rules.required("policies", "must specify at least one Policy");
    }
    rules.each("policies", &scaling.policies, |rules, policy: &HPAScalingPolicy| {
        rules.one_of("type", policy.type_.as_str(), &["Percent", "Pods"]);
        for (field, value) in [("value", policy.value), ("periodSeconds", policy.period_seconds)] {
            if value <= 0 {
                rules.invalid(field, value, "must be greater than zero");
            }
        }
        if policy.period_seconds > MAX_PERIOD {
            let detail = format!("must be less than or equal to {MAX_PERIOD}");
            rules.invalid("periodSeconds", policy.period_seconds, detail);
        }
    });
    if let Some(tolerance) = &scaling.tolerance
        && tolerance.sign() < 0
    {
        rules.invalid("tolerance", tolerance.to_string(), NOT_NEGATIVE);
    }
}

fn metric(rules: &mut Rules, metric: &MetricSpec, leniency: Leniency) {
    let type_ = metric.type_.as_str();
    if type_.is_empty() {
        rules.required("type", "must specify a metric source type");
    }
    rules.one_of("type", type_, &METRIC_TYPES);
    let present = [
        ("object", metric.object.is_some(), "Object"),
        ("external", metric.external.is_some(), "External"),
        ("pods", metric.pods.is_some(), "Pods"),
        ("resource", metric.resource.is_some(), "Resource"),
        ("containerResource", metric.container_resource.is_some(), "ContainerResource"),
    ];
    let set = || present.iter().filter(|(_, is_set, _)| *is_set);
    if let Some((field, ..)) = set().next() {
        rules.within(field, |rules| source(rules, metric, field, leniency));
    }
    match present.iter().find(|(.., name)| *name == type_) {
        None => rules.one_of("type", type_, &METRIC_TYPES),
        Some((field, false, _)) => {
            rules.required(field, "must populate information for the given metric source");
        }
        Some(_) => {}
    }
    if set().count() > 1 {
        for (field, ..) in set().filter(|(.., name)| *name != type_) {
            rules.forbidden(field, "must populate the given metric source only");
        }
    }
}

/// What is inside of the first source that is set.
fn source(rules: &mut Rules, metric: &MetricSpec, field: &str, leniency: Leniency) {
    const NEITHER: &str = "must set either a target raw value or a target utilization";
    const BOTH: &str = "may not set both a target raw value and a target utilization";
    let by_utilization = |rules: &mut Rules, wanted: &MetricTarget| {
        rules.within("target", |rules| target(rules, wanted));
        match (&wanted.average_utilization, &wanted.average_value) {
            (None, None) => rules.required("target.averageUtilization", NEITHER),
            (Some(_), Some(_)) => rules.forbidden("target.averageValue", BOTH),
            _ => {}
        }
    };
    let with_metric = |rules: &mut Rules, metric: &MetricIdentifier, wanted: &MetricTarget| {
        rules.within("metric", |rules| identifier(rules, metric));
        rules.within("target", |rules| target(rules, wanted));
    };
    match field {
        "object" => {
            let Some(object) = &metric.object else { return };
            rules.within("describedObject", |rules| reference(rules, &object.described_object, leniency));
            with_metric(rules, &object.metric, &object.target);
            if object.target.value.is_none() && object.target.average_value.is_none() {
                rules.required("target.averageValue", "must set either a target value or averageValue");
            }
        }
        "external" => {
            let Some(external) = &metric.external else { return };
            with_metric(rules, &external.metric, &external.target);
            match (&external.target.value, &external.target.average_value) {
                (None, None) => rules.required(
                    "target.averageValue",
                    "must set either a target value for metric or a per-pod target",
                ),
                (Some(_), Some(_)) => rules.forbidden(
                    "target.value",
                    "may not set both a target value for metric and a per-pod target",
                ),
                _ => {}
            }
        }
        "pods" => {
            let Some(pods) = &metric.pods else { return };
            with_metric(rules, &pods.metric, &pods.target);
            if pods.target.average_value.as_ref().is_none_or(|value| value.sign() <= 0) {
                rules.required("target.averageValue", "must specify a positive target averageValue");
            }
        }
        "resource" => {
            let Some(resource) = &metric.resource else { return };
            if resource.name.is_empty() {
                rules.required("name", "must specify a resource name");
            }
            by_utilization(rules, &resource.target);
        }
        _ => {
            let Some(resource) = &metric.container_resource else { return };
            if resource.name.is_empty() {
                rules.required("name", "must specify a resource name");
            } else {
                of_container(rules, "name", &resource.name);
            }
            if resource.container.is_empty() {
                rules.required("container", "must specify a container");
            }
            by_utilization(rules, &resource.target);
        }
    }
}

fn identifier(rules: &mut Rules, metric: &MetricIdentifier) {
    if metric.name.is_empty() {
        rules.required("name", "must specify a metric name");
    } else {
        rules.complaints("name", &metric.name, names::path_segment_name(&metric.name));
    }
}

fn target(rules: &mut Rules, target: &MetricTarget) {
    let type_ = target.type_.as_str();
    if type_.is_empty() {
        rules.required("type", "must specify a metric target type");
    }
    if !matches!(type_, "Utilization" | "Value" | "AverageValue") {
        rules.invalid("type", type_, "must be either Utilization, Value, or AverageValue");
    }
    for (field, value) in [("value", &target.value), ("averageValue", &target.average_value)] {
        if let Some(value) = value
            && value.sign() <= 0
        {
            rules.invalid(field, value.to_string(), "must be positive");
        }
    }
    if let Some(percent) = target.average_utilization
        && percent < 1
    {
        rules.invalid("averageUtilization", percent, "must be greater than 0");
    }
}
