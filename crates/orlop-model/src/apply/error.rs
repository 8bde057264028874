//! Why something cannot be applied.

use std::fmt;

use super::{Element, FieldPath, ManagedError, Misfit};
use crate::meta::v1::{ManagedFieldsEntry, ManagedFieldsOperationType as Operation};
use crate::quote::quoted;
use crate::{FieldsV1, Str};

/// Why an object cannot be applied, or its managed fields cannot be kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields that would get another value.
    #[error("{0}")]
    Conflicts(Conflicts),
    /// The managed fields of the object cannot be understood.
    #[error("failed to decode managed fields: {0}")]
    ManagedFields(#[from] ManagedError),
    /// What is applied says who owns fields.
    #[error("metadata.managedFields must be nil")]
    OwnsManagedFields,
    /// What is applied is of another kind.
    #[error("invalid object type: {found}")]
    WrongKind {
        /// Version and kind of what is applied.
        found: String,
    },
    /// An object does not fit the schema of its kind.
    #[error("{operation} ({object}){operand}: {}", joined(misfits))]
    Invalid {
        /// What was to be done.
        operation: &'static str,
        /// The object.
        object: String,
        /// What it was to become.
        operand: &'static str,
        /// What is wrong.
        misfits: Vec<Misfit>,
    },
    /// A value that is applied fits the schema but not the type.
    #[error("failed to merge config: {0}")]
    Merge(Misfit),
}

fn joined(misfits: &[Misfit]) -> String {
    match misfits {
        [misfit] => misfit.to_string(),
        _ => misfits.iter().fold("errors:".to_owned(), |text, misfit| format!("{text}\n  {misfit}")),
    }
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The entry of the other manager, without its fields.
    owner: ManagedFieldsEntry,
    path: Vec<Element>,
}

impl Conflict {
    pub(super) fn new(owner: &ManagedFieldsEntry, path: &[Element]) -> Self {
        let owner = ManagedFieldsEntry { fields_v1: None::<FieldsV1>, ..owner.clone() };
        Self { owner, path: path.to_vec() }
    }

    /// Name of the other manager.
    #[must_use]
    pub fn manager(&self) -> &Str {
        &self.owner.manager
    }

    /// The field, such as `.spec.containers[name="web"].image`.
    #[must_use]
    pub fn field(&self) -> String {
        FieldPath(&self.path).to_string()
    }

    /// Steps to the field.
    #[must_use]
    pub fn path(&self) -> &[Element] {
        &self.path
    }

    /// What an API server says of it: `conflict with "controller" using apps/v1`.
    #[must_use]
    pub fn message(&self) -> String {
        format!("conflict with {}", self.owner())
    }

    fn owner(&self) -> String {
        let mut owner = quoted(&self.owner.manager);
        if !self.owner.subresource.is_empty() {
            owner = format!("{owner} with subresource {}", quoted(&self.owner.subresource));
        }
        if self.owner.operation == Operation::Update {
            owner = format!("{owner} using {}", self.owner.api_version);
        }
        owner
    }
}

/// Fields that others own, by their owners. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflicts(pub(super) Vec<Conflict>);

impl Conflicts {
    /// The conflicts.
    pub fn iter(&self) -> impl Iterator<Item = &Conflict> {
        self.0.iter()
    }

    /// Number of conflicts.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// As an API server says it.
impl fmt::Display for Conflicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0.as_slice() {
            let field = one.field();
            return write!(formatter, "Apply failed with 1 conflict: {}: {field}", one.message());
        }
        write!(formatter, "Apply failed with {} conflicts:", self.0.len())?;
        let mut before = None;
        for conflict in &self.0 {
            let owner = conflict.owner();
            if before.as_ref() != Some(&owner) {
                let space = if before.is_none() { ' ' } else { '\n' };
                write!(formatter, "{space}conflicts with {owner}:")?;
            }
            write!(formatter, "\n- {}", conflict.field())?;
            before = Some(owner);
        }
        Ok(())
    }
}
