//! `#[derive(Object)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Path, Result};

use crate::attributes::{self, ObjectAttributes};
use crate::message;

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = attributes::object(input)?;
    let model = &attributes.model;
    let message = message::implement(input, model)?;
    let name = &input.ident;
    if !attributes::fields(input)?.iter().any(|field| field.ident == "metadata") {
        return Err(Error::new_spanned(name, "a kind has a field `metadata: ObjectMeta`"));
    }
    let kind = kind_info(&attributes, model);
    Ok(quote! {
        #message

        #[automatically_derived]
        impl #model::StaticKind for #name {
            const KIND: &'static #model::KindInfo = &#kind;
        }

        #[automatically_derived]
        impl #model::Object for #name {
            fn kind(&self) -> &#model::KindInfo {
                <Self as #model::StaticKind>::KIND
            }
            fn meta(&self) -> &#model::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut #model::ObjectMeta {
                &mut self.metadata
            }
            fn schema(&self) -> ::core::option::Option<&'static #model::Schema> {
                ::core::option::Option::Some(<Self as #model::Message>::SCHEMA)
            }
            fn unknown_fields(&self, path: &mut #model::Path, found: &mut dyn FnMut(&#model::Path, &str)) {
                #model::Message::unknown_fields(self, path, found);
            }
        }

        #[automatically_derived]
        impl #model::Serialize for #name {
            fn serialize<S: #model::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                #model::message::serialize_kind(self, <Self as #model::StaticKind>::KIND, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> #model::Deserialize<'de> for #name {
            fn deserialize<D: #model::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #model::message::deserialize_kind(<Self as #model::StaticKind>::KIND, deserializer)
            }
        }
    })
}

fn kind_info(attributes: &ObjectAttributes, model: &Path) -> TokenStream {
    let ObjectAttributes { group, version, kind, plural, singular, status, scale, .. } = attributes;
    let short = list(&attributes.short);
    let categories = list(&attributes.categories);
    let scope = if attributes.cluster { quote!(Cluster) } else { quote!(Namespaced) };
    quote! {
        #model::KindInfo {
            group: ::std::borrow::Cow::Borrowed(#group),
            version: ::std::borrow::Cow::Borrowed(#version),
            kind: ::std::borrow::Cow::Borrowed(#kind),
            plural: ::std::borrow::Cow::Borrowed(#plural),
            singular: ::std::borrow::Cow::Borrowed(#singular),
            short_names: #short,
            categories: #categories,
            scope: #model::Scope::#scope,
            status: #status,
            scale: #scale,
        }
    }
}

fn list(names: &[String]) -> TokenStream {
    quote!(::std::borrow::Cow::Borrowed(&[#(::std::borrow::Cow::Borrowed(#names)),*]))
}
