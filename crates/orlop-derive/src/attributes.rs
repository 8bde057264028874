//! The attributes `#[wire(…)]` and `#[object(…)]`.

use proc_macro2::Span;
use syn::{Attribute, DeriveInput, Error, Ident, LitInt, LitStr, Path, Result, Token, Type};

/// How a field goes over the wire.
pub(crate) struct FieldAttributes {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) required: bool,
    /// Protobuf number, and the number of the nested message it is hoisted from (0 = none).
    pub(crate) number: (u32, u32),
    pub(crate) list: Option<LitStr>,
    pub(crate) keys: Vec<String>,
    pub(crate) map: Option<LitStr>,
    pub(crate) patch: Vec<String>,
    pub(crate) merge_key: String,
    pub(crate) default: String,
    pub(crate) doc: String,
    pub(crate) plain: bool,
    /// What OpenAPI says, where it is not what `required` says.
    pub(crate) needed: Option<bool>,
    pub(crate) wrapped: bool,
    pub(crate) secret: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Inline,
    Extra,
    Serde,
}

/// The named fields of a struct with their attributes.
pub(crate) fn fields(input: &DeriveInput) -> Result<Vec<FieldAttributes>> {
    let syn::Data::Struct(syn::DataStruct { fields: syn::Fields::Named(named), .. }) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only structs with named fields"));
    };
    if named.named.len() > MAX_FIELDS {
        return Err(Error::new_spanned(&input.ident, format!("more than {MAX_FIELDS} fields")));
    }
    named.named.iter().map(field).collect()
}

/// Most fields of a struct: the table of numbers has a byte for each, of which two values mean something else.
const MAX_FIELDS: usize = 254;

fn field(field: &syn::Field) -> Result<FieldAttributes> {
    let ident =
        field.ident.clone().ok_or_else(|| Error::new_spanned(field, "only structs with named fields"))?;
    let mut parsed = FieldAttributes {
        name: camel_case(&ident.to_string()),
        ident,
        ty: field.ty.clone(),
        role: Role::Plain,
        required: false,
        number: (0, 0),
        list: None,
        keys: Vec::new(),
        map: None,
        patch: Vec::new(),
        merge_key: String::new(),
        default: String::new(),
        doc: doc(&field.attrs),
        plain: false,
        needed: None,
        wrapped: false,
        secret: false,
    };
    for attribute in wire(&field.attrs) {
        attribute.parse_nested_meta(|meta| {
            let Some(key) = meta.path.get_ident().map(Ident::to_string) else {
                return Err(meta.error("unknown attribute"));
            };
            match key.as_str() {
                "name" => parsed.name = meta.value()?.parse::<LitStr>()?.value(),
                "required" => parsed.required = true,
                "inline" => parsed.role = Role::Inline,
                "extra" => parsed.role = Role::Extra,
                "serde" => parsed.role = Role::Serde,
                "pb" => parsed.number = number(&meta.value()?)?,
                "list" => parsed.list = Some(meta.value()?.parse()?),
                "keys" => parsed.keys = names(&meta.value()?.parse()?),
                "map" => parsed.map = Some(meta.value()?.parse()?),
                "patch" => parsed.patch = names(&meta.value()?.parse()?),
                "default" => parsed.default = meta.value()?.parse::<LitStr>()?.value(),
                "needed" => parsed.needed = Some(true),
                "needless" => parsed.needed = Some(false),
                "plain" => parsed.plain = true,
                "wrapped" => parsed.wrapped = true,
                "secret" => parsed.secret = true,
                "merge_key" => parsed.merge_key = meta.value()?.parse::<LitStr>()?.value(),
                _ => return Err(meta.error("unknown attribute")),
            }
            Ok(())
        })?;
    }
    Ok(parsed)
}

/// Largest number of a field in protobuf: the fields are found by a table of all numbers.
const MAX_NUMBER: u32 = 1000;

fn number(input: &syn::parse::ParseStream<'_>) -> Result<(u32, u32)> {
    let is_one = |number: &u32| (1..=MAX_NUMBER).contains(number);
    if input.peek(LitInt) {
        let number: LitInt = input.parse()?;
        let value = number.base10_parse().ok().filter(is_one);
        let expected = format!("expected a number from 1 to {MAX_NUMBER}");
        return Ok((value.ok_or_else(|| Error::new_spanned(&number, expected))?, 0));
    }
    let text: LitStr = input.parse()?;
    let value = text.value();
    let parse = |text: &str| text.parse().ok().filter(is_one);
    let pair = value.split_once('.').and_then(|(outer, inner)| Some((parse(inner)?, parse(outer)?)));
    pair.ok_or_else(|| Error::new_spanned(&text, "expected \"outer.inner\""))
}

fn names(text: &LitStr) -> Vec<String> {
    let value = text.value();
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn wire(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("wire"))
}

/// The first paragraph of the documentation, on one line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines = lines.map(|line| line.trim().to_owned()).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// What `#[wire(…)]` says of a struct.
pub(crate) struct StructAttributes {
    pub(crate) model: Path,
    /// `apiVersion` and `kind` of what stands alone.
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// Whether it may come with another `apiVersion`.
    pub(crate) any_version: bool,
    pub(crate) atomic: bool,
    pub(crate) debug: bool,
}

pub(crate) fn message(input: &DeriveInput) -> Result<StructAttributes> {
    let mut parsed = StructAttributes {
        model: default_model_path(),
        api_version: String::new(),
        kind: String::new(),
        any_version: true,
        atomic: false,
        debug: false,
    };
    for attribute in wire(&input.attrs) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                parsed.model = meta.value()?.parse()?;
                return Ok(());
            }
            match meta.path.get_ident().map(Ident::to_string).as_deref() {
                Some("api_version") => parsed.api_version = meta.value()?.parse::<LitStr>()?.value(),
                Some("atomic") => parsed.atomic = true,
                Some("debug") => parsed.debug = true,
                _ => return Err(meta.error("unknown attribute")),
            }
            Ok(())
        })?;
    }
    if !parsed.api_version.is_empty() {
        parsed.kind = input.ident.to_string();
    }
    Ok(parsed)
}

fn default_model_path() -> Path {
    syn::parse_quote!(::orlop_model)
}

/// What `#[object(…)]` says of a kind.
pub(crate) struct ObjectAttributes {
    pub(crate) model: Path,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) cluster: bool,
    pub(crate) status: bool,
    pub(crate) scale: bool,
    pub(crate) subresources: Vec<String>,
    pub(crate) verbs: Vec<String>,
}

pub(crate) fn object(input: &DeriveInput) -> Result<ObjectAttributes> {
    let mut parsed = ObjectAttributes {
        model: default_model_path(),
        group: String::new(),
        version: String::new(),
        kind: input.ident.to_string(),
        plural: String::new(),
        singular: String::new(),
        short: Vec::new(),
        categories: Vec::new(),
        cluster: false,
        status: false,
        scale: false,
        subresources: Vec::new(),
        verbs: Vec::new(),
    };
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("object")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") || meta.input.peek(Token![crate]) {
                parsed.model = meta.value()?.parse()?;
                return Ok(());
            }
            let text = || meta.value()?.parse::<LitStr>();
            let Some(key) = meta.path.get_ident().map(Ident::to_string) else {
                return Err(meta.error("unknown attribute"));
            };
            match key.as_str() {
                "group" => parsed.group = text()?.value(),
                "version" => parsed.version = text()?.value(),
                "kind" => parsed.kind = text()?.value(),
                "plural" => parsed.plural = text()?.value(),
                "singular" => parsed.singular = text()?.value(),
                "short" => parsed.short = names(&text()?),
                "categories" => parsed.categories = names(&text()?),
                "cluster" => parsed.cluster = true,
                "status" => parsed.status = true,
                "scale" => parsed.scale = true,
                "subresources" => parsed.subresources = names(&text()?),
                "verbs" => parsed.verbs = names(&text()?),
                _ => return Err(meta.error("unknown attribute")),
            }
            Ok(())
        })?;
    }
    if parsed.version.is_empty() {
        let message = "#[object(version = \"…\")] is missing";
        return Err(Error::new(Span::call_site(), message));
    }
    if parsed.singular.is_empty() {
        parsed.singular = parsed.kind.to_lowercase();
    }
    if parsed.plural.is_empty() {
        parsed.plural = format!("{}s", parsed.singular);
    }
    Ok(parsed)
}

/// `pod_ip` → `podIp`; a trailing underscore (`type_`) and a raw prefix are dropped.
fn camel_case(ident: &str) -> String {
    let mut name = String::with_capacity(ident.len());
    let mut upper = false;
    for character in ident.trim_start_matches("r#").trim_end_matches('_').chars() {
        match (character, upper) {
            ('_', _) => upper = true,
            (letter, true) => {
                name.extend(letter.to_uppercase());
                upper = false;
            }
            (letter, false) => name.push(letter),
        }
    }
    name
}
