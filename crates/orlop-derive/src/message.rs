//! `#[derive(Message)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, Result};

use crate::attributes::{self, FieldAttributes, Role};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let model = attributes::model_path(input)?;
    let message = implement(input, &model)?;
    let name = &input.ident;
    Ok(quote! {
        #message

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

        #[automatically_derived]
        impl #model::Field for #name {
            fn is_absent(&self) -> bool {
                false
            }
            fn unknown_fields(&self, path: &mut #model::Path, found: &mut dyn FnMut(&#model::Path, &str)) {
                #model::Message::unknown_fields(self, path, found);
            }
            fn schema() -> ::core::option::Option<&'static #model::Schema> {
                ::core::option::Option::Some(<Self as #model::Message>::SCHEMA)
            }
        }
    })
}

/// The `Message` trait alone, which kinds have as well.
pub(crate) fn implement(input: &DeriveInput, model: &Path) -> Result<TokenStream> {
    let name = &input.ident;
    let name_text = name.to_string();
    let fields = attributes::fields(input)?;
    let writes = fields.iter().map(|field| write(field, model));
    let reads = fields.iter().filter_map(|field| read(field, model));
    let inline_reads = fields.iter().filter(|field| field.role == Role::Inline).map(|field| {
        let ident = &field.ident;
        quote! {
            if #model::Message::deserialize_field(&mut self.#ident, name, map)? {
                return ::core::result::Result::Ok(true);
            }
        }
    });
    let unknown = fields.iter().filter_map(|field| unknown(field, model));
    let schemas = fields.iter().filter(|field| field.role != Role::Extra).map(|field| schema(field, model));
    let extra = fields.iter().find(|field| field.role == Role::Extra).map_or_else(
        || quote!(::core::option::Option::None),
        |field| {
            let ident = &field.ident;
            quote!(::core::option::Option::Some(&mut self.#ident))
        },
    );
    Ok(quote! {
        #[automatically_derived]
        impl #model::Message for #name {
            const SCHEMA: &'static #model::Schema = &#model::Schema {
                name: #name_text,
                fields: &[#(#schemas),*],
            };
            fn serialize_fields<M: #model::SerializeMap>(&self, map: &mut M) -> ::core::result::Result<(), M::Error> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }
            fn deserialize_field<'de, A: #model::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> ::core::result::Result<bool, A::Error> {
                match name {
                    #(#reads)*
                    _ => {
                        #(#inline_reads)*
                        return ::core::result::Result::Ok(false);
                    }
                }
                #[allow(unreachable_code, reason = "a struct with nothing but inline fields")]
                ::core::result::Result::Ok(true)
            }
            fn extra_mut(&mut self) -> ::core::option::Option<&mut #model::Extra> {
                #extra
            }
            fn unknown_fields(&self, path: &mut #model::Path, found: &mut dyn FnMut(&#model::Path, &str)) {
                #(#unknown)*
            }
        }
    })
}

fn write(field: &FieldAttributes, model: &Path) -> TokenStream {
    let (ident, name) = (&field.ident, &field.name);
    match field.role {
        Role::Inline => quote!(#model::Message::serialize_fields(&self.#ident, map)?;),
        Role::Extra => quote!(#model::Extra::serialize(&self.#ident, map)?;),
        Role::Serde => quote!(#model::SerializeMap::serialize_entry(map, #name, &self.#ident)?;),
        Role::Plain if field.required => {
            quote!(#model::message::write_required(map, #name, &self.#ident)?;)
        }
        Role::Plain => quote!(#model::message::write(map, #name, &self.#ident)?;),
    }
}

fn read(field: &FieldAttributes, model: &Path) -> Option<TokenStream> {
    let (ident, name) = (&field.ident, &field.name);
    match field.role {
        Role::Plain => Some(quote!(#name => self.#ident = #model::message::read(map)?,)),
        Role::Serde => Some(quote!(#name => self.#ident = #model::MapAccess::next_value(map)?,)),
        Role::Inline | Role::Extra => None,
    }
}

fn unknown(field: &FieldAttributes, model: &Path) -> Option<TokenStream> {
    let (ident, name) = (&field.ident, &field.name);
    match field.role {
        Role::Plain => Some(quote! {
            path.push_field(#name);
            #model::Field::unknown_fields(&self.#ident, path, found);
            path.pop();
        }),
        Role::Inline => Some(quote!(#model::Message::unknown_fields(&self.#ident, path, found);)),
        Role::Extra => Some(quote!(self.#ident.names().for_each(|name| found(path, name));)),
        Role::Serde => None,
    }
}

fn schema(field: &FieldAttributes, model: &Path) -> TokenStream {
    let FieldAttributes { ty, name, number: (number, outer), keys, merge_key, .. } = field;
    let list = match field.list.as_ref().map(syn::LitStr::value).as_deref() {
        Some("set") => quote!(Set),
        Some("map") => quote!(Map(&[#(#keys),*])),
        _ => quote!(Atomic),
    };
    let atomic_map = field.map.as_ref().is_some_and(|map| map.value() == "atomic");
    let merge = field.patch.iter().any(|strategy| strategy == "merge");
    let retain_keys = field.patch.iter().any(|strategy| strategy == "retainKeys");
    let inline = field.role == Role::Inline;
    let required = field.required;
    let message = match field.role {
        Role::Serde => quote!(|| ::core::option::Option::None),
        _ => quote!(<#ty as #model::Field>::schema),
    };
    quote! {
        #model::FieldSchema {
            name: #name,
            number: #number,
            outer: #outer,
            inline: #inline,
            required: #required,
            list: #model::ListType::#list,
            atomic_map: #atomic_map,
            merge: #merge,
            retain_keys: #retain_keys,
            merge_key: #merge_key,
            message: #message,
        }
    }
}
