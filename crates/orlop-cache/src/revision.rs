use std::cmp::Ordering;

/// A resourceVersion as a number; 0 if it is opaque.
pub(crate) fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

/// Which of two resourceVersions is the later one; `None` if they cannot be compared.
///
/// Kubernetes promises since 1.35 that resourceVersions of one kind are decimal numbers that grow. From a source that
/// does not keep to that they are opaque, and can only be equal.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => Some(a.cmp(&b)),
        _ => (a == b).then_some(Ordering::Equal),
    }
}

/// Whether `a` is known to be earlier than `b`.
pub(crate) fn is_before(a: &str, b: &str) -> bool {
    compare(a, b) == Some(Ordering::Less)
}
