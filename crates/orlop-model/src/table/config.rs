//! Rows of ConfigMaps, Secrets, ServiceAccounts, ResourceQuotas and Leases.

use jiff::Timestamp;

use super::{Cell, Column, Row, Tabular, age, joined};
use crate::Quantity;
use crate::coordination::v1::Lease;
use crate::core::v1::{ConfigMap, ResourceQuota, Secret, ServiceAccount};

impl Tabular for ConfigMap {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Data", "Number of entries, of text and of bytes."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let count = Cell::count(self.data.len() + self.binary_data.len());
        Row::new([(&self.metadata.name).into(), count, age(self, now)])
    }
}

impl Tabular for Secret {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Type", "What the data are for."),
        Column::text("Data", "Number of entries."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        // What is still in stringData is merged into data when the object is written.
        let unmerged = self.string_data.keys().filter(|key| !self.data.contains_key(key)).count();
        Row::new([
            (&self.metadata.name).into(),
            self.type_.as_str().into(),
            Cell::count(self.data.len() + unmerged),
            age(self, now),
        ])
    }
}

impl Tabular for ServiceAccount {
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), age(self, now)])
    }
}

impl Tabular for ResourceQuota {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Request", "What is used of each resource, and the most that may be."),
        Column::text("Limit", "The same for limits."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let zero = Quantity::default();
        let shown = |limits: bool| {
            let hard = self.status.hard.iter().filter(|(name, _)| name.starts_with("limits.") == limits);
            joined(
                hard.map(|(name, hard)| {
                    format!("{name}: {}/{hard}", self.status.used.get(name).unwrap_or(&zero))
                }),
                ", ",
            )
        };
        Row::new([(&self.metadata.name).into(), shown(false).into(), shown(true).into(), age(self, now)])
    }
}

impl Tabular for Lease {
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::text("Holder", "Who holds it."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let holder = self.spec.holder_identity.clone().unwrap_or_default();
        Row::new([(&self.metadata.name).into(), holder.into(), age(self, now)])
    }
}
