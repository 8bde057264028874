//! [`Rules`]: collects what is wrong, field by field.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::names::NameRule;
use crate::{FieldError, FieldValue, List, Map, Object, OwnerReference, Str, metadata, selector};

/// What was found so far, and where in the object we are. Field names are relative to that place; the empty name is
/// the place itself, a name that begins with `[` is an element of it.
///
/// Texts of paths are made for errors only: an object in order costs no allocation here.
pub(crate) struct Rules {
    root: Cow<'static, str>,
    steps: Vec<Step>,
    errors: Vec<FieldError>,
}

enum Step {
    Field(&'static str),
    Index(usize),
    Key(String),
}

pub(crate) const IMMUTABLE: &str = "field is immutable";
pub(crate) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

impl Rules {
    /// Nothing is wrong yet with the fields at the path `root`.
    pub(crate) fn new(root: impl Into<Cow<'static, str>>) -> Self {
        Self { root: root.into(), steps: Vec::new(), errors: Vec::new() }
    }

    /// What was found in all.
    pub(crate) fn finish(self) -> Vec<FieldError> {
        self.errors
    }

    /// How many errors there are so far.
    pub(crate) fn count(&self) -> usize {
        self.errors.len()
    }

    /// The full path of a field.
    pub(crate) fn path(&self, field: &str) -> String {
        let mut path = String::from(&*self.root);
        let add = |path: &mut String, name: &str| {
            if !name.is_empty() && !name.starts_with('[') && !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        };
        for step in &self.steps {
            match step {
                Step::Field(name) => add(&mut path, name),
                Step::Key(name) => add(&mut path, name),
                Step::Index(index) => {
                    let _ = write!(path, "[{index}]");
                }
            }
        }
        add(&mut path, field);
        path
    }

    fn at(&mut self, step: Step, check: impl FnOnce(&mut Self)) {
        self.steps.push(step);
        check(self);
        self.steps.pop();
    }

    /// Checks what is inside a field.
    pub(crate) fn within(&mut self, field: &'static str, check: impl FnOnce(&mut Self)) {
        self.at(Step::Field(field), check);
    }

    /// Checks what is at a place whose name is made, such as an element of a map.
    pub(crate) fn within_key(&mut self, field: String, check: impl FnOnce(&mut Self)) {
        self.at(Step::Key(field), check);
    }

    /// Checks an element of the list that is at this place.
    pub(crate) fn within_index(&mut self, index: usize, check: impl FnOnce(&mut Self)) {
        self.at(Step::Index(index), check);
    }

    /// Checks what is inside an optional field, if it is there.
    pub(crate) fn option<T>(
        &mut self,
        field: &'static str,
        value: Option<&T>,
        check: impl FnOnce(&mut Self, &T),
    ) {
        if let Some(value) = value {
            self.within(field, |rules| check(rules, value));
        }
    }

    /// Checks each element of a list.
    pub(crate) fn each<'t, T>(
        &mut self,
        field: &'static str,
        items: &'t [T],
        mut check: impl FnMut(&mut Self, &'t T),
    ) {
        self.each_indexed(field, items, |rules, _, item| check(rules, item));
    }

    /// Checks each element of a list, with its index.
    pub(crate) fn each_indexed<'t, T>(
        &mut self,
        field: &'static str,
        items: &'t [T],
        mut check: impl FnMut(&mut Self, usize, &'t T),
    ) {
        if items.is_empty() {
            return;
        }
        self.within(field, |rules| {
            for (index, item) in items.iter().enumerate() {
                rules.within_index(index, |rules| check(rules, index, item));
            }
        });
    }

    pub(crate) fn push(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    pub(crate) fn extend(&mut self, errors: impl IntoIterator<Item = FieldError>) {
        self.errors.extend(errors);
    }

    /// What a check of another module finds at a field. The check runs twice if there is an error: the path is made for
    /// errors only.
    pub(crate) fn check(&mut self, field: &str, check: impl Fn(&str) -> Vec<FieldError>) {
        if !check("").is_empty() {
            let path = self.path(field);
            self.extend(check(&path));
        }
    }

    pub(crate) fn required(&mut self, field: &str, detail: impl Into<String>) {
        self.push(FieldError::required(self.path(field), detail));
    }

    /// A text that has to be there.
    pub(crate) fn present(&mut self, field: &str, value: &str) {
        if value.is_empty() {
            self.required(field, "");
        }
    }

    pub(crate) fn invalid(&mut self, field: &str, value: impl Into<FieldValue>, detail: impl Into<String>) {
        self.push(FieldError::invalid(self.path(field), value, detail));
    }

    pub(crate) fn forbidden(&mut self, field: &str, detail: impl Into<String>) {
        self.push(FieldError::forbidden(self.path(field), detail));
    }

    pub(crate) fn duplicate(&mut self, field: &str, value: impl Into<FieldValue>) {
        self.push(FieldError::duplicate(self.path(field), value));
    }

    pub(crate) fn not_found(&mut self, field: &str, value: impl Into<FieldValue>) {
        self.push(FieldError::not_found(self.path(field), value));
    }

    /// A text that is longer than `limit` bytes.
    pub(crate) fn too_long(&mut self, field: &str, limit: usize) {
        self.push(FieldError::too_long(self.path(field), limit));
    }

    /// A list that has more than `limit` elements.
    pub(crate) fn too_many(&mut self, field: &str, count: usize, limit: usize) {
        self.push(FieldError::too_many(self.path(field), count, limit));
    }

    /// A value that is none of `supported`, which are named in the order given.
    pub(crate) fn not_supported(&mut self, field: &str, value: impl Into<FieldValue>, supported: &[&str]) {
        self.push(FieldError::not_supported(self.path(field), value, supported));
    }

    /// A text has to be one of `supported`, which are in order.
    pub(crate) fn one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            self.not_supported(field, value, supported);
        }
    }

    /// As [`one_of`](Self::one_of); a missing value is an error of its own.
    pub(crate) fn required_one_of(&mut self, field: &str, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(field, "");
        } else {
            self.one_of(field, value, supported);
        }
    }

    /// A value that is not well-formed, for each of these reasons.
    pub(crate) fn complaints<C: Into<String>>(
        &mut self,
        field: &str,
        value: &str,
        complaints: impl IntoIterator<Item = C>,
    ) {
        for complaint in complaints {
            self.invalid(field, value, complaint);
        }
    }

    pub(crate) fn not_negative(&mut self, field: &str, value: impl Into<i64>) {
        let value = value.into();
        if value < 0 {
            self.invalid(field, value, NOT_NEGATIVE);
        }
    }

    pub(crate) fn in_range(&mut self, field: &str, value: i64, low: i64, high: i64) {
        if !(low..=high).contains(&value) {
            self.invalid(field, value, format!("must be between {low} and {high}, inclusive"));
        }
    }

    /// A number of a port.
    pub(crate) fn port(&mut self, field: &str, port: i32) {
        self.in_range(field, port.into(), 1, 65_535);
    }

    /// A field that may not be changed.
    pub(crate) fn immutable<T: PartialEq + Serialize + ?Sized>(&mut self, field: &str, new: &T, old: &T) {
        if new != old {
            self.invalid(field, FieldValue::of(new), IMMUTABLE);
        }
    }

    pub(crate) fn labels(&mut self, field: &str, labels: &Map<Str>) {
        self.check(field, |path| metadata::validate_labels(labels, path));
    }

    pub(crate) fn annotations(&mut self, field: &str, annotations: &Map<Str>) {
        self.check(field, |path| metadata::validate_annotations(annotations, path));
    }

    pub(crate) fn owners(&mut self, field: &str, owners: &List<OwnerReference>) {
        self.check(field, |path| metadata::validate_owners(owners, path));
    }

    /// A label selector; unless it is `loose`, the values of its expressions are checked too.
    pub(crate) fn selector(&mut self, field: &str, selector: &crate::LabelSelector, loose: bool) {
        self.check(field, |path| selector::validate(selector, loose, path));
    }

    /// The metadata of an object as the rules of most kinds check it, wherever we are: by the kind's rule for names, and
    /// with finalizers without a domain being Kubernetes' own.
    pub(crate) fn metadata<K: Object>(&mut self, object: &K, rule: NameRule) {
        let meta = object.meta();
        let mut rules = Self::new("metadata");
        metadata::check(&mut rules, meta, object.kind().is_namespaced(), rule);
        kube_finalizers(&mut rules, &meta.finalizers);
        self.extend(rules.finish());
    }

    /// What may not be changed of the metadata of an object that replaces `old`, as the rules of most kinds check it,
    /// wherever we are.
    pub(crate) fn metadata_update<K: Object>(&mut self, new: &K, old: &K) {
        let mut rules = Self::new("metadata");
        metadata::check_update(&mut rules, new.meta(), old.meta());
        kube_finalizers(&mut rules, &new.meta().finalizers);
        self.extend(rules.finish());
    }
}

fn kube_finalizers(rules: &mut Rules, finalizers: &List<Str>) {
    rules.each("finalizers", finalizers, |rules, name| {
        let standard = ["foregroundDeletion", "kubernetes", "orphan"];
        if !name.contains('/') && !standard.contains(&name.as_str()) {
            rules.invalid("", name, "name is neither a standard finalizer name nor is it fully qualified");
        }
    });
}

/// Which keys were there already. The first few need no allocation.
pub(crate) struct Seen<K> {
    few: [Option<K>; 8],
    count: usize,
    many: BTreeSet<K>,
}

impl<K: Ord + Copy> Seen<K> {
    pub(crate) fn new() -> Self {
        Self { few: [None; 8], count: 0, many: BTreeSet::new() }
    }

    /// Whether the key is new.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        if self.contains(key) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(free) => {
                *free = Some(key);
                self.count += 1;
                true
            }
            None => self.many.insert(key),
        }
    }

    pub(crate) fn contains(&self, key: K) -> bool {
        self.few[..self.count].contains(&Some(key)) || (!self.many.is_empty() && self.many.contains(&key))
    }
}
