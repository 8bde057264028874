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
    named.named.iter().map(field).collect()
}

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
                "merge_key" => parsed.merge_key = meta.value()?.parse::<LitStr>()?.value(),
                _ => return Err(meta.error("unknown attribute")),
            }
            Ok(())
        })?;
    }
    Ok(parsed)
}

fn number(input: &syn::parse::ParseStream<'_>) -> Result<(u32, u32)> {
    if input.peek(LitInt) {
        return Ok((input.parse::<LitInt>()?.base10_parse()?, 0));
    }
    let text: LitStr = input.parse()?;
    let value = text.value();
    let pair = value
        .split_once('.')
        .and_then(|(outer, inner)| Some((inner.parse::<u32>().ok()?, outer.parse::<u32>().ok()?)));
    pair.ok_or_else(|| Error::new_spanned(&text, "expected \"outer.inner\""))
}

fn names(text: &LitStr) -> Vec<String> {
    let value = text.value();
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn wire(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("wire"))
}

/// The path of `orlop_model`, from `#[wire(crate = …)]` on the struct.
pub(crate) fn model_path(input: &DeriveInput) -> Result<Path> {
    let mut path = default_model_path();
    for attribute in wire(&input.attrs) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("unknown attribute"));
            }
            path = meta.value()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
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
