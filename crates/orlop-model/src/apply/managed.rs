//! Who owns which fields of one object.

use std::collections::BTreeMap;

use super::{FieldSet, FieldsError};
use crate::meta::v1::{ManagedFieldsEntry, ManagedFieldsOperationType as Operation};
use crate::{FieldsV1, List, Str, Time};

/// The only format of sets there is.
const FORMAT: &str = "FieldsV1";

/// Most entries of updates that are kept apart.
pub const MAX_UPDATE_MANAGERS: usize = 10;

/// Manager of the entries that older ones were put together in.
pub const ANCIENT_CHANGES: &str = "ancient-changes";

/// Managed fields that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagedError {
    /// An entry is of an operation that is not known.
    #[error("operation must be `Apply` or `Update`")]
    Operation,
    /// An entry has no version.
    #[error("apiVersion must not be empty")]
    ApiVersion,
    /// An entry has no format.
    #[error("missing fieldsType in managed fields entry {0}")]
    NoFormat(usize),
    /// An entry has a format that is not known.
    #[error("invalid fieldsType {format:?} in managed fields entry {index}")]
    Format {
        /// Its place.
        index: usize,
        /// Its format.
        format: Str,
    },
    /// The fields of an entry cannot be read.
    #[error("error decoding versioned set of {manager:?}: {error}")]
    Fields {
        /// Whose they are.
        manager: Str,
        /// What is wrong.
        error: FieldsError,
    },
}

/// What one manager owns. The set is read when somebody asks for it.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// Who it is, without the set.
    pub(super) entry: ManagedFieldsEntry,
    /// The set as it is written, as long as it is the same.
    text: Option<FieldsV1>,
    set: Option<FieldSet>,
}

impl Owner {
    pub(super) fn new(entry: ManagedFieldsEntry) -> Self {
        Self { entry, text: None, set: Some(FieldSet::new()) }
    }

    pub(super) fn is_apply(&self) -> bool {
        self.entry.operation == Operation::Apply
    }

    /// The set; one that cannot be read any more is empty.
    pub(super) fn set(&mut self) -> &mut FieldSet {
        let text = &self.text;
        self.set.get_or_insert_with(|| {
            text.as_ref().and_then(|text| FieldSet::parse(text).ok()).unwrap_or_default()
        })
    }

    /// Whether the set may have members in common with another, or above or below members of it.
    pub(super) fn touches(&self, fields: &FieldSet) -> bool {
        self.set.is_some() || self.text.as_ref().is_some_and(|text| fields.touches(text))
    }

    pub(super) fn replace(&mut self, set: FieldSet) {
        if *self.set() != set {
            (self.set, self.text) = (Some(set), None);
        }
    }

    fn is_empty(&self) -> bool {
        match (&self.set, &self.text) {
            (Some(set), _) => set.is_empty(),
            (None, text) => text.as_ref().is_none_or(|text| matches!(text.as_json(), "{}" | "null")),
        }
    }
}

/// Whether two entries are of the same manager: those of updates by version too.
pub(super) fn is_same_manager(left: &ManagedFieldsEntry, right: &ManagedFieldsEntry) -> bool {
    left.manager == right.manager
        && left.operation == right.operation
        && left.subresource == right.subresource
        && (left.operation == Operation::Apply || left.api_version == right.api_version)
}

/// All owners of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Managed(pub(super) Vec<Owner>);

impl Managed {
    /// What entries say that have been read before, as those of stored objects have.
    pub(super) fn known(entries: &[ManagedFieldsEntry]) -> Result<Self, ManagedError> {
        Self::of(entries, false)
    }

    /// What entries say, every set of them.
    pub(super) fn decode(entries: &[ManagedFieldsEntry]) -> Result<Self, ManagedError> {
        Self::of(entries, true)
    }

    fn of(entries: &[ManagedFieldsEntry], reads: bool) -> Result<Self, ManagedError> {
        let mut owners: Vec<Owner> = Vec::with_capacity(entries.len() + 1);
        for (index, entry) in entries.iter().enumerate() {
            if !matches!(entry.operation, Operation::Apply | Operation::Update) {
                return Err(ManagedError::Operation);
            }
            if entry.api_version.is_empty() {
                return Err(ManagedError::ApiVersion);
            }
            if entry.fields_type.is_empty() {
                return Err(ManagedError::NoFormat(index));
            }
            if entry.fields_type != FORMAT {
                return Err(ManagedError::Format { index, format: entry.fields_type.clone() });
            }
            let set = match &entry.fields_v1 {
                Some(fields) if reads => Some(
                    FieldSet::parse(fields)
                        .map_err(|error| ManagedError::Fields { manager: entry.manager.clone(), error })?,
                ),
                Some(_) => None,
                None => Some(FieldSet::new()),
            };
            let text = entry.fields_v1.clone();
            let owner = Owner { entry: ManagedFieldsEntry { fields_v1: None, ..entry.clone() }, text, set };
            // Of several entries of one manager the last counts.
            match owners.iter_mut().find(|other| is_same_manager(&other.entry, &owner.entry)) {
                Some(other) => *other = owner,
                None => owners.push(owner),
            }
        }
        Ok(Self(owners))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn position(&self, entry: &ManagedFieldsEntry) -> Option<usize> {
        self.0.iter().position(|owner| is_same_manager(&owner.entry, entry))
    }

    /// The owner, who owns nothing yet if it is new.
    pub(super) fn owner(&mut self, entry: ManagedFieldsEntry) -> &mut Owner {
        let place = self.position(&entry).unwrap_or_else(|| {
            self.0.push(Owner::new(entry));
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    pub(super) fn retain_owners(&mut self) {
        self.0.retain(|owner| !owner.is_empty());
    }

    /// Entries by operation, time, manager and version.
    pub(super) fn encode(self) -> List<ManagedFieldsEntry> {
        let mut owners = self.0;
        owners.sort_by(|left, right| order(&left.entry).cmp(&order(&right.entry)));
        let encode = |mut owner: Owner| ManagedFieldsEntry {
            fields_type: Str::from_static(FORMAT),
            fields_v1: Some(owner.text.take().unwrap_or_else(|| owner.set().to_fields())),
            ..owner.entry
        };
        owners.into_iter().map(encode).collect()
    }

    /// Puts the oldest entries of updates together, until there are no more than `most`.
    pub(super) fn cap_updates(&mut self, most: usize) {
        let mut updates: Vec<usize> = (0..self.0.len()).filter(|index| !self.0[*index].is_apply()).collect();
        let mut count = updates.len();
        if count <= most {
            return;
        }
        let seconds = |owner: &Owner| owner.entry.time.map_or(0, Time::seconds);
        updates.sort_by(|left, right| {
            let (left, right) = (&self.0[*left], &self.0[*right]);
            let key = |owner: &Owner| (seconds(owner), identity(&owner.entry));
            key(left).cmp(&key(right))
        });
        let bucket = |version: &Str| ManagedFieldsEntry {
            manager: Str::from_static(ANCIENT_CHANGES),
            operation: Operation::Update,
            api_version: version.clone(),
            ..ManagedFieldsEntry::default()
        };
        let mut firsts: BTreeMap<Str, ManagedFieldsEntry> = BTreeMap::new();
        let updates: Vec<ManagedFieldsEntry> =
            updates.into_iter().map(|index| self.0[index].entry.clone()).collect();
        for entry in updates {
            if count <= most {
                return;
            }
            let Some(first) = firsts.get(&entry.api_version) else {
                firsts.insert(entry.api_version.clone(), entry);
                continue;
            };
            let bucket = bucket(&entry.api_version);
            if self.position(&bucket).is_none()
                && let Some(place) = self.position(first)
            {
                self.0[place].entry = bucket.clone();
            }
            let Some(merged) = self.position(&entry) else { continue };
            let mut merged = self.0.swap_remove(merged);
            let into = self.owner(bucket);
            let all = into.set().union(merged.set());
            into.replace(all);
            // It is the younger one.
            into.entry.time = merged.entry.time;
            count -= 1;
        }
    }
}

/// Whether entries say the same, however their sets are written.
pub(super) fn is_same(left: &[ManagedFieldsEntry], right: &[ManagedFieldsEntry]) -> bool {
    let set = |entry: &ManagedFieldsEntry| entry.fields_v1.as_ref().map(FieldSet::parse);
    let rest = |entry: &ManagedFieldsEntry| ManagedFieldsEntry { fields_v1: None, ..entry.clone() };
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| left == right || rest(left) == rest(right) && set(left) == set(right))
}

fn order(entry: &ManagedFieldsEntry) -> (&str, i64, &str, &str, &str) {
    let seconds = entry.time.map_or(0, Time::seconds);
    (entry.operation.as_str(), seconds, &entry.manager, &entry.api_version, &entry.subresource)
}

/// Who it is, as Kubernetes tells managers apart and sorts them.
pub(super) fn identity(entry: &ManagedFieldsEntry) -> String {
    let text = |name: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("\"{name}\":{},", serde_json::Value::from(text)) }
    };
    let version = if entry.operation == Operation::Apply { "" } else { entry.api_version.as_str() };
    format!(
        "{{{}{}{}{}}}",
        text("manager", &entry.manager),
        text("operation", entry.operation.as_str()),
        text("apiVersion", version),
        text("subresource", &entry.subresource)
    )
}
