//! Rows of HorizontalPodAutoscalers.

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, UNKNOWN, UNSET, age, joined};
use crate::Quantity;
use crate::autoscaling::{v1, v2};
use v2::{MetricSourceType, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus};

/// How many metrics are shown.
const SHOWN: usize = 2;

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Reference", "Kind and name of what is scaled."),
    Column::text("Targets", "What the metrics are, and what they should be."),
    Column::text("MinPods", "The least number of pods."),
    Column::text("MaxPods", "The largest number of pods."),
    Column::text("Replicas", "How many pods there were when last looked at."),
    Column::AGE,
];

impl Tabular for v2::HorizontalPodAutoscaler {
    const COLUMNS: &'static [Column] = COLUMNS;

    fn row(&self, now: Timestamp) -> Row {
        let (spec, status) = (&self.spec, &self.status);
        let target = &spec.scale_target_ref;
        Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", target.kind, target.name).into(),
            metrics(&spec.metrics, &status.current_metrics).into(),
            minimum(spec.min_replicas),
            Cell::count(spec.max_replicas),
            Cell::count(status.current_replicas),
            age(self, now),
        ])
    }
}

impl Tabular for v1::HorizontalPodAutoscaler {
    const COLUMNS: &'static [Column] = COLUMNS;

    fn row(&self, now: Timestamp) -> Row {
        let (spec, status) = (&self.spec, &self.status);
        let target = &spec.scale_target_ref;
        let metrics = spec.target_cpu_utilization_percentage.map_or_else(
            || NONE.to_owned(),
            |wanted| {
                format!("cpu: {}/{wanted}%", percent(status.current_cpu_utilization_percentage, UNKNOWN))
            },
        );
        Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", target.kind, target.name).into(),
            metrics.into(),
            minimum(spec.min_replicas),
            Cell::count(spec.max_replicas),
            Cell::count(status.current_replicas),
            age(self, now),
        ])
    }
}

fn minimum(replicas: Option<i32>) -> Cell {
    replicas.map_or_else(|| UNSET.into(), |replicas| replicas.to_string().into())
}

fn metrics(specs: &[MetricSpec], statuses: &[MetricStatus]) -> String {
    if specs.is_empty() {
        return NONE.to_owned();
    }
    let shown = specs.iter().enumerate().take(SHOWN);
    let text = joined(shown.map(|(index, spec)| metric(spec, statuses.get(index))), ", ");
    match specs.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} + {more} more..."),
    }
}

/// The metric's value and its target; the status at the same place of its list is the metric's if it is of its type.
fn metric(spec: &MetricSpec, status: Option<&MetricStatus>) -> String {
    let text = match spec.type_ {
        MetricSourceType::External => spec.external.as_ref().map(|spec| {
            let status = status.and_then(|status| status.external.as_ref());
            value(&spec.target, status.map(|status| &status.current))
        }),
        MetricSourceType::Object => spec.object.as_ref().map(|spec| {
            let status = status.and_then(|status| status.object.as_ref());
            value(&spec.target, status.map(|status| &status.current))
        }),
        MetricSourceType::Pods => spec.pods.as_ref().map(|spec| {
            let status = status.and_then(|status| status.pods.as_ref());
            let current = status.map(|status| amount(status.current.average_value.as_ref()));
            let current = current.unwrap_or_else(|| UNKNOWN.to_owned());
            format!("{current}/{}", amount(spec.target.average_value.as_ref()))
        }),
        MetricSourceType::Resource => spec.resource.as_ref().map(|spec| {
            let status = status.and_then(|status| status.resource.as_ref());
            format!("{}: {}", spec.name, resource(&spec.target, status.map(|status| &status.current)))
        }),
        MetricSourceType::ContainerResource => spec.container_resource.as_ref().map(|spec| {
            let status = status.and_then(|status| status.container_resource.as_ref());
            format!("{}: {}", spec.name, resource(&spec.target, status.map(|status| &status.current)))
        }),
        MetricSourceType::Other(_) => None,
    };
    text.unwrap_or_else(|| "<unknown type>".to_owned())
}

/// A metric with a mean per pod or a value as a whole.
fn value(target: &MetricTarget, current: Option<&MetricValueStatus>) -> String {
    match &target.average_value {
        Some(wanted) => {
            let current = current.and_then(|current| current.average_value.as_ref());
            format!("{}/{wanted} (avg)", current.map_or_else(|| UNKNOWN.to_owned(), ToString::to_string))
        }
        None => {
            let current =
                current.map_or_else(|| UNKNOWN.to_owned(), |current| amount(current.value.as_ref()));
            format!("{current}/{}", amount(target.value.as_ref()))
        }
    }
}

/// A resource with a mean per pod or a share of what is requested.
fn resource(target: &MetricTarget, current: Option<&MetricValueStatus>) -> String {
    match &target.average_value {
        Some(wanted) => {
            let current =
                current.map_or_else(|| UNKNOWN.to_owned(), |current| amount(current.average_value.as_ref()));
            format!("{current}/{wanted}")
        }
        None => {
            let current = percent(current.and_then(|current| current.average_utilization), UNKNOWN);
            format!("{current}/{}", percent(target.average_utilization, "<auto>"))
        }
    }
}

fn percent(value: Option<i32>, otherwise: &str) -> String {
    value.map_or_else(|| otherwise.to_owned(), |value| format!("{value}%"))
}

/// As Go prints the pointer.
fn amount(quantity: Option<&Quantity>) -> String {
    quantity.map_or_else(|| "<nil>".to_owned(), ToString::to_string)
}
