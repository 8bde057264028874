//! `#[derive(Message)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, Result};

use crate::attributes::{self, FieldAttributes, Role, StructAttributes};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = attributes::message(input)?;
    implement(input, &attributes)
}

/// What parts of objects and kinds have in common.
pub(crate) fn implement(input: &DeriveInput, attributes: &StructAttributes) -> Result<TokenStream> {
    let StructAttributes { model, api_version, kind, any_version, atomic, debug } = attributes;
    let name = &input.ident;
    let name_text = name.to_string();
    let doc = attributes::doc(&input.attrs);
    let fields = attributes::fields(input)?;
    let (extra, fields): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| field.role == Role::Extra);
    let views = fields.iter().enumerate().map(|(index, field)| view(index, field, model));
    let slots = fields.iter().enumerate().map(|(index, field)| slot(index, field, model));
    let reads = fields.iter().filter_map(|field| read(field, model));
    let schemas = fields.iter().map(|field| schema(field, model));
    let keys = fields.iter().map(|field| key(field, model));
    let (numbers, places) = numbers(&fields, model);
    let has_inline = fields.iter().any(|field| field.role == Role::Inline);
    let extra = extra.first().map(|field| {
        let ident = &field.ident;
        quote! {
            #[inline]
            fn unknown(&self) -> ::core::option::Option<&#model::Extra> {
                ::core::option::Option::Some(&self.#ident)
            }
            #[inline]
            fn unknown_mut(&mut self) -> ::core::option::Option<&mut #model::Extra> {
                ::core::option::Option::Some(&mut self.#ident)
            }
        }
    });
    let debug = debug.then(|| {
        quote! {
            #[automatically_derived]
            impl ::core::fmt::Debug for #name {
                #[inline]
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #model::message::debug(self, formatter)
                }
            }
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #model::Message for #name {
            const SCHEMA: &'static #model::Schema = &#model::Schema {
                name: #name_text,
                module: ::core::module_path!(),
                doc: #doc,
                api_version: #api_version,
                kind: #kind,
                any_version: #any_version,
                keys: &[#(#keys),*],
                fields: &[#(#schemas),*],
                numbers: &[#(#numbers),*],
                places: &[#(#places),*],
                has_inline: #has_inline,
                atomic: #atomic,
            };
            #[inline]
            fn field(&self, index: usize) -> #model::message::View<'_> {
                match index {
                    #(#views)*
                    _ => #model::message::View::Absent,
                }
            }
            #[inline]
            fn field_mut(&mut self, index: usize) -> #model::message::Slot<'_> {
                match index {
                    #(#slots)*
                    _ => #model::message::Slot::Ignored,
                }
            }
            #[inline]
            fn read(
                &mut self,
                tag: u32,
                decoder: &mut #model::protobuf::Decoder<'_>,
            ) -> #model::protobuf::Outcome {
                match tag >> 3 {
                    #(#reads)*
                    _ => #model::protobuf::Outcome::Other,
                }
            }
            #extra
        }

        #debug

        #[automatically_derived]
        impl #model::Field for #name {
            const TYPE: #model::FieldType = #model::FieldType::Message(|| <Self as #model::Message>::SCHEMA);
            #[inline]
            fn as_view(&self) -> #model::message::View<'_> {
                #model::message::View::Message(self)
            }
            #[inline]
            fn as_slot(&mut self) -> #model::message::Slot<'_> {
                #model::message::Slot::Message(self)
            }
        }

        #[automatically_derived]
        impl #model::Serialize for #name {
            fn serialize<S: #model::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                #model::message::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> #model::Deserialize<'de> for #name {
            fn deserialize<D: #model::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #model::message::deserialize(deserializer)
            }
        }
    })
}

fn view(index: usize, field: &FieldAttributes, model: &Path) -> TokenStream {
    let ident = &field.ident;
    match field.role {
        Role::Serde => quote!(#index => #model::message::View::Opaque(&self.#ident),),
        _ => quote!(#index => #model::Field::as_view(&self.#ident),),
    }
}

fn slot(index: usize, field: &FieldAttributes, model: &Path) -> TokenStream {
    let ident = &field.ident;
    match field.role {
        Role::Serde => quote!(#index => #model::message::Slot::Opaque(&mut self.#ident),),
        _ => quote!(#index => #model::Field::as_slot(&mut self.#ident),),
    }
}

/// Reading of a field with a number of its own.
fn read(field: &FieldAttributes, model: &Path) -> Option<TokenStream> {
    let ident = &field.ident;
    let (number, outer) = field.number;
    (number > 0 && outer == 0 && !field.wrapped && field.role != Role::Serde)
        .then(|| quote!(#number => #model::Field::read(&mut self.#ident, tag, decoder),))
}

/// Number of the field in its message or of the message that it belongs to, and its number there.
fn top((number, outer): (u32, u32)) -> (u32, u32) {
    if outer == 0 { (number, 0) } else { (outer, number) }
}

/// The fields that protobuf has, by the numbers of their messages and their own.
fn numbers(fields: &[FieldAttributes], model: &Path) -> (Vec<TokenStream>, Vec<u8>) {
    let mut numbers: Vec<_> = (0_u16..).zip(fields).filter(|(_, field)| field.number.0 > 0).collect();
    numbers.sort_by_key(|(_, field)| top(field.number));
    let number = |(index, field): (u16, &FieldAttributes)| {
        let (number, hoisted) = (top(field.number).0, field.number.1 != 0);
        quote!(#model::Number { number: #number, field: #index, hoisted: #hoisted })
    };
    let mut places = Vec::new();
    for (index, field) in &numbers {
        let (number, hoisted) = (top(field.number).0 as usize, field.number.1 != 0);
        if places.len() <= number {
            places.resize(number + 1, 0);
        }
        places[number] = if hoisted { u8::MAX } else { *index as u8 + 1 };
    }
    (numbers.into_iter().map(number).collect(), places)
}

fn key(field: &FieldAttributes, model: &Path) -> TokenStream {
    let inline = field.role == Role::Inline;
    let text = if inline { String::new() } else { format!(",\"{}\":", field.name) };
    let (required, optional) = presence(field, model);
    quote!(#model::Key { text: #text, required: #required, optional: #optional, inline: #inline })
}

/// Whether it is always written, and whether presence is information.
fn presence(field: &FieldAttributes, model: &Path) -> (bool, TokenStream) {
    let FieldAttributes { ty, plain, required, .. } = field;
    match field.role {
        Role::Serde => (true, quote!(false)),
        _ => (*required, quote!(<#ty as #model::Field>::OPTIONAL && !#plain)),
    }
}

fn schema(field: &FieldAttributes, model: &Path) -> TokenStream {
    let FieldAttributes { ty, doc, number: (number, outer), keys, merge_key, default, .. } = field;
    let inline = field.role == Role::Inline;
    let name = if inline { "" } else { &*field.name };
    let ty = match field.role {
        Role::Serde => quote!(#model::FieldType::Any),
        _ => quote!(<#ty as #model::Field>::TYPE),
    };
    let (required, optional) = presence(field, model);
    let needed = field.needed.unwrap_or(field.required);
    let list = match field.list.as_ref().map(syn::LitStr::value).as_deref() {
        Some("set") => Some(quote!(list: #model::ListType::Set,)),
        Some("map") => Some(quote!(list: #model::ListType::Map(&[#(#keys),*]),)),
        _ => None,
    };
    let flag = |name: &str, is_set: bool| {
        let name = syn::Ident::new(name, proc_macro2::Span::call_site());
        is_set.then(|| quote!(#name: true,))
    };
    let has = |strategy: &str| field.patch.iter().any(|other| other == strategy);
    let flags = [
        flag("inline", inline),
        flag("required", required),
        flag("needed", needed),
        flag("wrapped", field.wrapped),
        flag("secret", field.secret),
        flag("atomic_map", field.map.as_ref().is_some_and(|map| map.value() == "atomic")),
        flag("merge", has("merge")),
        flag("retain_keys", has("retainKeys")),
        flag("replace", has("replace")),
    ];
    let flags = flags.iter().flatten();
    let outer = (*outer > 0).then(|| quote!(outer: #outer,));
    let merge_key = (!merge_key.is_empty()).then(|| quote!(merge_key: #merge_key,));
    let default = (!default.is_empty()).then(|| quote!(default: #default,));
    quote! {
        #model::FieldSchema {
            name: #name,
            doc: #doc,
            ty: #ty,
            number: #number,
            optional: #optional,
            #outer #list #merge_key #default #(#flags)*
            ..#model::FieldSchema::EMPTY
        }
    }
}
