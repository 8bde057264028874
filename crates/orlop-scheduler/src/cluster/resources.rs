//! [`Resources`]: amounts of resources as the scheduler counts them.

use orlop_model::core::v1::resource_name;
use orlop_model::{List, Map, Quantity, Str};

/// Amounts of resources in whole units, ready for arithmetic.
///
/// cpu is in millicores rounded up, all others in units rounded up (bytes, pieces). Arithmetic wraps
/// like kube-scheduler's; admission keeps amounts far from where that could be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// Millicores.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Extended resources, huge pages and the like, sorted by name, none of them twice.
    scalars: List<(Str, i64)>,
}

impl Resources {
    /// The amounts in `list`. Names that are neither native nor scalar resources are left out.
    #[must_use]
    pub fn from_list(list: &Map<Quantity>) -> Self {
        let mut resources = Self::default();
        for (name, quantity) in list {
            match name.as_str() {
                resource_name::CPU => resources.milli_cpu = quantity.milli_value(),
                resource_name::MEMORY => resources.memory = quantity.value(),
                resource_name::EPHEMERAL_STORAGE => resources.ephemeral_storage = quantity.value(),
                resource_name::PODS => {}
                other if is_scalar(other) => resources.scalars.push((name.clone(), quantity.value())),
                _ => {}
            }
        }
        resources
    }

    /// The amount of a scalar resource, or `None` where it is not listed.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<i64> {
        self.scalars.iter().find(|(other, _)| other == name).map(|(_, amount)| *amount)
    }

    /// Scalar resources by name.
    #[must_use]
    pub fn scalars(&self) -> &[(Str, i64)] {
        &self.scalars
    }

    /// The amount of a resource by its name; 0 where it is not listed.
    #[must_use]
    pub fn get(&self, name: &str) -> i64 {
        match name {
            resource_name::CPU => self.milli_cpu,
            resource_name::MEMORY => self.memory,
            resource_name::EPHEMERAL_STORAGE => self.ephemeral_storage,
            other => self.scalar(other).unwrap_or(0),
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.combine(other, i64::wrapping_add);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, i64::wrapping_sub);
    }

    fn combine(&mut self, other: &Self, operation: fn(i64, i64) -> i64) {
        self.milli_cpu = operation(self.milli_cpu, other.milli_cpu);
        self.memory = operation(self.memory, other.memory);
        self.ephemeral_storage = operation(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalars {
            match self.scalars.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(index) => {
                    let sum = operation(self.scalars[index].1, *amount);
                    // A zero is not kept, so that an addition undone leaves no trace.
                    if sum == 0 {
                        self.scalars.remove(index);
                    } else {
                        self.scalars[index].1 = sum;
                    }
                }
                Err(index) if *amount != 0 => {
                    self.scalars.insert(index, (name.clone(), operation(0, *amount)))
                }
                Err(_) => {}
            }
        }
    }
}

/// Whether a resource is a scalar: extended, huge pages, prefixed native, or attachable volumes.
#[must_use]
pub fn is_scalar(name: &str) -> bool {
    is_extended(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// Whether a resource is an extended one: its name has a domain outside `kubernetes.io`.
#[must_use]
pub fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(entries: &[(&str, i64)]) -> Resources {
        Resources {
            scalars: entries.iter().map(|(name, amount)| (Str::from(*name), *amount)).collect(),
            ..Resources::default()
        }
    }

    #[test]
    fn subtraction_undoes_addition() {
        let before = scalars(&[("example.com/nic", 2)]);
        let mut now = before.clone();
        now.add(&scalars(&[("example.com/gpu", 3), ("example.com/nic", 1)]));
        assert_eq!(now, scalars(&[("example.com/gpu", 3), ("example.com/nic", 3)]));
        now.subtract(&scalars(&[("example.com/gpu", 3), ("example.com/nic", 1)]));
        assert_eq!(now, before);
    }

    #[test]
    fn names_are_told_apart() {
        assert!(is_extended("example.com/gpu"));
        assert!(!is_extended("requests.example.com/gpu"));
        assert!(!is_extended("cpu") && !is_scalar("cpu"));
        assert!(is_scalar("hugepages-2Mi") && !is_extended("hugepages-2Mi"));
        assert!(is_scalar("attachable-volumes-x"));
        assert!(!is_scalar("gpu"));
    }
}
