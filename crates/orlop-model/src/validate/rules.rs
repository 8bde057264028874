//! [`Rules`]: collects what is wrong, field by field.

use serde::Serialize;

use crate::{FieldError, FieldValue, Path};

/// What was found so far, and where in the object we are. Field names are relative to that place; the empty name is
/// the place itself.
pub(super) struct Rules {
    path: Path,
    errors: Vec<FieldError>,
}

pub(super) const IMMUTABLE: &str = "field is immutable";

impl Rules {
    pub(super) fn new(root: &str) -> Self {
        let mut path = Path::new();
        if !root.is_empty() {
            path.push_field(root);
        }
        Self { path, errors: Vec::new() }
    }

    pub(super) fn finish(self) -> Vec<FieldError> {
        self.errors
    }

    /// How many errors there are so far.
    pub(super) fn count(&self) -> usize {
        self.errors.len()
    }

    /// The full path of a field.
    pub(super) fn path(&self, field: &str) -> String {
        match field.as_bytes().first() {
            None => self.path.to_string(),
            Some(b'[') => format!("{}{field}", self.path),
            Some(_) => self.path.child(field),
        }
    }

    /// Checks what is inside a field.
    pub(super) fn within(&mut self, field: &str, check: impl FnOnce(&mut Self)) {
        self.path.push_field(field);
        check(self);
        self.path.pop();
    }

    /// Checks what is inside an optional field, if it is there.
    pub(super) fn option<T>(&mut self, field: &str, value: Option<&T>, check: impl FnOnce(&mut Self, &T)) {
        if let Some(value) = value {
            self.within(field, |rules| check(rules, value));
        }
    }

    /// Checks each element of a list.
    pub(super) fn each<T>(&mut self, field: &str, items: &[T], mut check: impl FnMut(&mut Self, &T)) {
        self.within(field, |rules| {
            for (index, item) in items.iter().enumerate() {
                rules.path.push_index(index);
                check(rules, item);
                rules.path.pop();
            }
        });
    }

    pub(super) fn push(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = FieldError>) {
        self.errors.extend(errors);
    }

    pub(super) fn required(&mut self, field: &str, detail: impl Into<String>) {
        self.push(FieldError::required(self.path(field), detail));
    }

    pub(super) fn invalid(&mut self, field: &str, value: impl Into<FieldValue>, detail: impl Into<String>) {
        self.push(FieldError::invalid(self.path(field), value, detail));
    }

    pub(super) fn forbidden(&mut self, field: &str, detail: impl Into<String>) {
        self.push(FieldError::forbidden(self.path(field), detail));
    }

    pub(super) fn duplicate(&mut self, field: &str, value: impl Into<FieldValue>) {
        self.push(FieldError::duplicate(self.path(field), value));
    }

    pub(super) fn not_found(&mut self, field: &str, value: impl Into<FieldValue>) {
        self.push(FieldError::not_found(self.path(field), value));
    }

    /// A text has to be one of `supported`, which are in order.
    pub(super) fn one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            self.push(FieldError::not_supported(self.path(field), value, supported));
        }
    }

    /// As [`one_of`](Self::one_of); a missing value is an error of its own.
    pub(super) fn required_one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(field, "");
        } else {
            self.one_of(field, value, supported);
        }
    }

    /// A value that is not well-formed, for each of these reasons.
    pub(super) fn complaints<C: Into<String>>(
        &mut self,
        field: &str,
        value: &str,
        complaints: impl IntoIterator<Item = C>,
    ) {
        for complaint in complaints {
            self.invalid(field, value, complaint);
        }
    }

    pub(super) fn not_negative(&mut self, field: &str, value: impl Into<i64>) {
        let value = value.into();
        if value < 0 {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }

    pub(super) fn in_range(&mut self, field: &str, value: i64, low: i64, high: i64) {
        if !(low..=high).contains(&value) {
            self.invalid(field, value, format!("must be between {low} and {high}, inclusive"));
        }
    }

    /// A number of a port.
    pub(super) fn port(&mut self, field: &str, port: i32) {
        self.in_range(field, port.into(), 1, 65_535);
    }

    /// A field that may not be changed.
    pub(super) fn immutable<T: PartialEq + Serialize>(&mut self, field: &str, new: &T, old: &T) {
        if new != old {
            self.invalid(field, FieldValue::of(new), IMMUTABLE);
        }
    }
}
