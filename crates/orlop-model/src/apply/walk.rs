//! Walks of one value by its shape: is it valid, which fields does it have.

use super::{Element, FieldSet, Scalar};
use crate::Str;
use crate::tree::{Form, Forms, Keys, Listing, Member, Node, ScalarType, Shape};

/// A value that does not fit its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where, as messages show it; empty for the object itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// How items without a key are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyDefaults {
    /// As if they had the schema's default, as API servers do.
    #[default]
    Apply,
    /// By the keys that they have.
    Ignore,
}

/// What a value is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    List,
    Object,
}

/// What a value is for certain; `None`: whatever there is room for.
pub(super) fn deduce(forms: Forms, node: Option<Node<'_>>) -> Option<Kind> {
    match (forms.scalar.is_some(), forms.list, forms.object) {
        (true, false, false) => return Some(Kind::Scalar),
        (false, true, false) => return Some(Kind::List),
        (false, false, true) => return Some(Kind::Object),
        _ => {}
    }
    match node?.form() {
        Form::Bool | Form::Number | Form::Text => forms.scalar.map(|_| Kind::Scalar),
        Form::List => forms.list.then_some(Kind::List),
        Form::Object => forms.object.then_some(Kind::Object),
        Form::Null => None,
    }
}

/// What a value is taken for where several forms have room.
pub(super) fn first(forms: Forms) -> Kind {
    if forms.object {
        Kind::Object
    } else if forms.scalar.is_some() {
        Kind::Scalar
    } else {
        Kind::List
    }
}

pub(super) fn kind(forms: Forms, node: Node<'_>) -> Kind {
    deduce(forms, Some(node)).unwrap_or_else(|| first(forms))
}

/// What tells an item apart from the others of its list.
pub(super) fn element(
    item: Node<'_>,
    listing: Listing<'_>,
    defaults: KeyDefaults,
) -> Result<Element, String> {
    match listing {
        Listing::Map(keys) => {
            if item.form() != Form::Object {
                let found = if item.is_null() { "a null element" } else { "non-map elements" };
                return Err(format!("associative list with keys may not have {found}"));
            }
            key(item, keys, defaults).map(Element::Key)
        }
        Listing::Set | Listing::Atomic => match item.form() {
            Form::Object => Err("associative list without keys has an element that's a map type".to_owned()),
            Form::List => Err("not supported: associative list with lists as elements".to_owned()),
            Form::Null => {
                Err("associative list without keys has an element that's an explicit null".to_owned())
            }
            _ => Ok(Element::Value(Scalar::of(item))),
        },
    }
}

fn key(item: Node<'_>, keys: Keys<'_>, defaults: KeyDefaults) -> Result<Box<[(Str, Scalar)]>, String> {
    let of = |name: &str| match item.get(name) {
        Some(value) => Some(Scalar::of(value)),
        None if defaults == KeyDefaults::Apply => keys.default(name).map(Scalar::from),
        None => None,
    };
    let mut fields: Vec<(Str, Scalar)> = match keys {
        Keys::Table(names, _) => {
            names.iter().filter_map(|name| Some((Str::from_static(name), of(name)?))).collect()
        }
        Keys::Custom(names, _) => names.iter().filter_map(|name| Some((name.clone(), of(name)?))).collect(),
    };
    if fields.is_empty() {
        let names: Vec<String> = keys.names().map(crate::quote::quoted).collect();
        let names = names.join(" ");
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{names}] (and doesn't have default values for any key fields)"
        ));
    }
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(fields.into())
}

/// The way to a value, which costs nothing until somebody asks for it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    outer: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Element(&'a Element),
    Index(usize),
}

impl<'a> Way<'a> {
    pub(super) const ROOT: Way<'static> = Way { outer: None, step: Step::Root };

    pub(super) fn field<'b>(&'b self, name: &'b str) -> Way<'b>
    where
        'a: 'b,
    {
        Way { outer: Some(self), step: Step::Field(name) }
    }

    pub(super) fn item<'b>(&'b self, element: &'b Element) -> Way<'b>
    where
        'a: 'b,
    {
        Way { outer: Some(self), step: Step::Element(element) }
    }

    pub(super) fn index<'b>(&'b self, index: usize) -> Way<'b>
    where
        'a: 'b,
    {
        Way { outer: Some(self), step: Step::Index(index) }
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }

    pub(super) fn path(&self) -> Vec<Element> {
        let mut path = match self.outer {
            Some(outer) => outer.path(),
            None => Vec::new(),
        };
        match self.step {
            Step::Root => {}
            Step::Field(name) => path.push(Element::Field(name.into())),
            Step::Element(element) => path.push(element.clone()),
            Step::Index(index) => path.push(Element::Index(i64::try_from(index).unwrap_or(i64::MAX))),
        }
        path
    }

    pub(super) fn text(&self) -> String {
        super::FieldPath(&self.path()).to_string()
    }
}

/// What is wrong with a value.
pub(super) struct Validation {
    pub(super) allows_duplicates: bool,
    pub(super) defaults: KeyDefaults,
    pub(super) misfits: Vec<Misfit>,
}

/// Most errors that are told of.
const MAX_MISFITS: usize = 100;

impl Validation {
    fn complain(&mut self, way: &Way<'_>, message: impl Into<String>) {
        if self.misfits.len() < MAX_MISFITS {
            self.misfits.push(Misfit { path: way.text(), message: message.into() });
        }
    }

    pub(super) fn check(&mut self, node: Node<'_>, shape: Shape<'_>, way: &Way<'_>) {
        // What is typed fits; what one applies may neither name an item twice nor a field that nobody knows.
        if self.allows_duplicates && matches!(node, Node::Typed(_)) || node.is_sealed() {
            return;
        }
        let forms = shape.forms();
        let form = node.form();
        if form == Form::Null {
            return;
        }
        match kind(forms, node) {
            Kind::Scalar => {
                let fits = match forms.scalar {
                    Some(ScalarType::Number) => form == Form::Number,
                    Some(ScalarType::Text) => form == Form::Text,
                    Some(ScalarType::Bool) => form == Form::Bool,
                    _ => !matches!(form, Form::List | Form::Object),
                };
                if !fits {
                    let expected = match forms.scalar {
                        Some(ScalarType::Number) => "numeric (int or float)",
                        Some(ScalarType::Text) => "string",
                        Some(ScalarType::Bool) => "boolean",
                        _ => "any scalar",
                    };
                    self.complain(way, format!("expected {expected}, got {}", node.to_value()));
                }
            }
            Kind::List if form == Form::List => self.check_items(node, shape, way),
            Kind::List => self.complain(way, format!("expected list, got {}", node.to_value())),
            Kind::Object if form == Form::Object => {
                node.each(&mut |name, value| {
                    let way = way.field(name);
                    match shape.member(name) {
                        Member::Field(shape) | Member::Entry(shape) => self.check(value, shape, &way),
                        Member::Undeclared => self.complain(&way, "field not declared in schema"),
                    }
                    true
                });
            }
            Kind::Object => self.complain(way, format!("expected map, got {}", node.to_value())),
        }
    }

    fn check_items(&mut self, list: Node<'_>, shape: Shape<'_>, way: &Way<'_>) {
        let (listing, item) = (shape.listing(), shape.item());
        let mut seen = std::collections::BTreeSet::new();
        for (index, value) in (0..list.len()).filter_map(|index| Some((index, list.at(index)?))) {
            if matches!(listing, Listing::Atomic) {
                self.check(value, item, &way.index(index));
                continue;
            }
            let element = match element(value, listing, self.defaults) {
                Ok(element) => element,
                Err(error) => {
                    self.complain(way, format!("element {index}: {error}"));
                    return;
                }
            };
            if seen.contains(&element) && !self.allows_duplicates {
                self.complain(way, format!("duplicate entries for key {element}"));
            }
            self.check(value, item, &way.item(&element));
            seen.insert(element);
        }
    }
}

/// The fields that a value has: its leaves, the items of its lists, the entries of its maps. `without`: as if these had
/// been removed.
pub(super) fn field_set(
    node: Node<'_>,
    shape: Shape<'_>,
    without: Option<&FieldSet>,
    defaults: KeyDefaults,
) -> FieldSet {
    fields(node, shape, without.filter(|set| !set.is_empty()), defaults).below
}

/// What a value has.
struct Fields {
    /// Whether the value is one leaf.
    is_leaf: bool,
    below: FieldSet,
    /// Whether it is nothing, or nothing is left of it.
    is_empty: bool,
}

fn fields(node: Node<'_>, shape: Shape<'_>, without: Option<&FieldSet>, defaults: KeyDefaults) -> Fields {
    let leaf = |is_empty| Fields { is_leaf: true, below: FieldSet::new(), is_empty };
    let empty = Fields { is_leaf: false, below: FieldSet::new(), is_empty: true };
    let form = node.form();
    if node.is_sealed() {
        return leaf(form == Form::Null);
    }
    match kind(shape.forms(), node) {
        Kind::Scalar => leaf(form == Form::Null),
        Kind::List => {
            let listing = shape.listing();
            if matches!(listing, Listing::Atomic) {
                return leaf(form == Form::Null || without.is_some());
            }
            if form != Form::List {
                return empty;
            }
            // An empty list is no field of its own, an empty object is one.
            let below = item_fields(node, shape, listing, without, defaults);
            Fields { is_leaf: false, is_empty: false, below }
        }
        Kind::Object => {
            if shape.is_atomic_object() {
                return leaf(form == Form::Null || node.is_empty() || without.is_some());
            }
            if form != Form::Object {
                return empty;
            }
            let (mut below, mut is_empty) = (FieldSet::new(), true);
            node.each(&mut |name, value| {
                let entry = without.and_then(|without| without.field(name));
                if entry.is_some_and(|entry| entry.is_member) {
                    return true;
                }
                let (is_entry, shape) = match shape.member(name) {
                    Member::Field(shape) => (false, shape),
                    Member::Entry(shape) => (true, shape),
                    Member::Undeclared => (true, Shape::Deduced),
                };
                let fields = fields(value, shape, entry.map(|entry| &entry.below), defaults);
                let is_member = fields.is_leaf || is_entry || fields.is_empty;
                below.put(Element::Field(name.into()), is_member, fields.below);
                is_empty = false;
                true
            });
            Fields { is_leaf: false, below, is_empty }
        }
    }
}

fn item_fields(
    list: Node<'_>,
    shape: Shape<'_>,
    listing: Listing<'_>,
    without: Option<&FieldSet>,
    defaults: KeyDefaults,
) -> FieldSet {
    let item = shape.item();
    let items = (0..list.len()).filter_map(|index| list.at(index));
    let mut items: Vec<(Element, Node<'_>)> =
        items.filter_map(|item| Some((element(item, listing, defaults).ok()?, item))).collect();
    items.sort_by(|left, right| left.0.cmp(&right.0));
    let mut set = FieldSet::new();
    let mut items = items.into_iter().peekable();
    while let Some((element, node)) = items.next() {
        let mut is_single = true;
        while items.next_if(|(other, _)| *other == element).is_some() {
            is_single = false;
        }
        let entry = without.and_then(|without| without.find(&element));
        if entry.is_some_and(|entry| entry.is_member) {
            continue;
        }
        let below = if is_single {
            fields(node, item, entry.map(|entry| &entry.below), defaults).below
        } else {
            FieldSet::new()
        };
        set.put(element, true, below);
    }
    set
}
