//! `#[derive(Object)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Path, Result};

use crate::attributes::{self, ObjectAttributes};
use crate::message;

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = attributes::object(input)?;
    let model = &attributes.model;
    let slash = if attributes.group.is_empty() { "" } else { "/" };
    let mut of_struct = attributes::message(input)?;
    of_struct.api_version = format!("{}{slash}{}", attributes.group, attributes.version);
    of_struct.kind.clone_from(&attributes.kind);
    of_struct.any_version = false;
    of_struct.model = model.clone();
    let message = message::implement(input, &of_struct)?;
    let name = &input.ident;
    if !attributes::fields(input)?.iter().any(|field| field.ident == "metadata") {
        return Err(Error::new_spanned(name, "a kind has a field `metadata: ObjectMeta`"));
    }
    let list_kind = format!("{}List", attributes.kind);
    let kind = kind_info(&attributes, model);
    Ok(quote! {
        #message

        #[automatically_derived]
        impl #model::StaticKind for #name {
            const KIND: &'static #model::KindInfo = &#kind;
            const LIST_KIND: &'static str = #list_kind;
        }

        #[automatically_derived]
        impl #model::Object for #name {
            #[inline]
            fn kind(&self) -> &#model::KindInfo {
                <Self as #model::StaticKind>::KIND
            }
            #[inline]
            fn meta(&self) -> &#model::ObjectMeta {
                &self.metadata
            }
            #[inline]
            fn meta_mut(&mut self) -> &mut #model::ObjectMeta {
                &mut self.metadata
            }
            #[inline]
            fn message(&self) -> ::core::option::Option<&dyn #model::message::Fields> {
                ::core::option::Option::Some(self)
            }
            #[inline]
            fn message_mut(&mut self) -> ::core::option::Option<&mut dyn #model::message::Fields> {
                ::core::option::Option::Some(self)
            }
        }
    })
}

fn kind_info(attributes: &ObjectAttributes, model: &Path) -> TokenStream {
    let ObjectAttributes { group, version, kind, plural, singular, status, scale, .. } = attributes;
    let short = list(&attributes.short);
    let subresources = list(&attributes.subresources);
    let verbs = match &*attributes.verbs {
        [] => quote!(#model::KindInfo::ALL_VERBS),
        verbs => list(verbs),
    };
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
            subresources: #subresources,
            verbs: #verbs,
        }
    }
}

fn list(names: &[String]) -> TokenStream {
    quote!(::std::borrow::Cow::Borrowed(&[#(::std::borrow::Cow::Borrowed(#names)),*]))
}
