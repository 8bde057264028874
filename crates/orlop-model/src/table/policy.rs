//! Rows of PodDisruptionBudgets, PriorityClasses and RuntimeClasses.

use jiff::Timestamp;

use super::{Cell, Column, Row, Tabular, age};
use crate::IntOrString;
use crate::policy::v1::PodDisruptionBudget;

impl Tabular for PodDisruptionBudget {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Min Available", "How many pods have to stay available."),
        Column::text("Max Unavailable", "How many pods may be unavailable."),
        Column::integer("Allowed Disruptions", "How many pods may be evicted now."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let bound = |bound: &Option<IntOrString>| {
            bound.as_ref().map_or_else(|| "N/A".into(), |bound| Cell::from(bound.to_string()))
        };
        Row::new([
            (&self.metadata.name).into(),
            bound(&self.spec.min_available),
            bound(&self.spec.max_unavailable),
            Cell::count(self.status.disruptions_allowed),
            age(self, now),
        ])
    }
}

#[cfg(feature = "scheduling")]
impl Tabular for crate::scheduling::v1::PriorityClass {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::integer("Value", "Priority of the pods that name the class."),
        Column::boolean("Global-Default", "Whether it is the class of pods that name none."),
        Column::AGE,
        Column::text("PreemptionPolicy", "Whether its pods may take the place of others."),
    ];

    fn row(&self, now: Timestamp) -> Row {
        let policy = self.preemption_policy.as_ref().map_or("", |policy| policy.as_str());
        Row::new([
            (&self.metadata.name).into(),
            Cell::count(self.value),
            Cell::Boolean(self.global_default),
            age(self, now),
            policy.into(),
        ])
    }
}

#[cfg(feature = "node")]
impl Tabular for crate::node::v1::RuntimeClass {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Handler", "What the container runtime calls it."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), (&self.handler).into(), age(self, now)])
    }
}
