//! From a struct to its keys and its `load`.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Data, DeriveInput, Error, Field, Fields, GenericArgument, Ident, LitStr, Path,
    PathArguments, Result, Type,
};

use crate::attributes::{FieldAttributes, StructAttributes};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = fields(input)?;
    let StructAttributes { sessions, camel_case } = StructAttributes::parse(&input.attrs)?;
    let entries: Vec<Entry<'_>> =
        fields.map(|field| Entry::new(field, camel_case)).collect::<Result<_>>()?;
    let mut keys = HashSet::new();
    if let Some(entry) = entries.iter().find(|entry| !keys.insert(entry.key.value())) {
        let message = format!("another field is the entry {:?} already", entry.key.value());
        return Err(Error::new(entry.key.span(), message));
    }
    let constants = entries.iter().map(|entry| entry.constant(&sessions));
    let values = entries.iter().map(Entry::value);
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl #name {
            #(#constants)*
        }

        #[automatically_derived]
        impl #sessions::SessionData for #name {
            async fn load(session: &#sessions::Session) -> #sessions::Result<Self> {
                ::core::result::Result::Ok(Self { #(#values),* })
            }
        }
    })
}

/// The fields of what can be session data: a struct with names and without parameters.
fn fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            return Err(Error::new(
                data.enum_token.span,
                "session data is a struct: store an enum as one entry of it",
            ));
        }
        Data::Union(data) => {
            return Err(Error::new(data.union_token.span, "session data is a struct"));
        }
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "session data has no parameters: what is stored has one type",
        ));
    }
    match fields {
        Fields::Named(fields) if !fields.named.is_empty() => Ok(fields.named.iter()),
        Fields::Unnamed(fields) => Err(Error::new_spanned(
            fields,
            "session data has named fields: the names are those of its entries",
        )),
        Fields::Named(_) | Fields::Unit => Err(Error::new(
            input.ident.span(),
            "session data has fields: each is an entry of the session",
        )),
    }
}

/// A field, which is an entry of the session.
struct Entry<'a> {
    field: &'a Field,
    name: &'a Ident,
    constant: Ident,
    key: LitStr,
    default: Option<Path>,
}

impl<'a> Entry<'a> {
    fn new(field: &'a Field, camel_case: bool) -> Result<Entry<'a>> {
        let FieldAttributes { key, default } = FieldAttributes::parse(&field.attrs)?;
        let Some(name) = &field.ident else {
            return Err(Error::new_spanned(field, "this field has no name"));
        };
        let text = name.unraw().to_string();
        let key = key.unwrap_or_else(|| {
            let key = if camel_case { to_camel_case(&text) } else { text.clone() };
            LitStr::new(&key, name.span())
        });
        if let (Some(default), Some(_)) = (&default, optional(&field.ty)) {
            return Err(Error::new_spanned(
                default,
                "an `Option` is `None` where its entry is missing",
            ));
        }
        let constant = Ident::new(&text.to_uppercase(), name.span());
        Ok(Entry { field, name, constant, key, default })
    }

    /// The constant that is this entry's key.
    fn constant(&self, sessions: &Path) -> TokenStream {
        let Entry { field, constant, key, .. } = self;
        let visibility = &field.vis;
        let mut docs: Vec<Attribute> = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"))
            .cloned()
            .collect();
        if docs.is_empty() {
            let summary = format!("The session's entry `{}`.", key.value());
            docs.push(syn::parse_quote!(#[doc = #summary]));
        }
        let value = optional(&field.ty).unwrap_or(&field.ty);
        let default = self.default.as_ref().map(|default| quote!(.with_default(#default)));
        quote! {
            #(#docs)*
            #visibility const #constant: #sessions::Key<#value> = #sessions::Key::new(#key)#default;
        }
    }

    /// The field as it is loaded; what its type does not fulfil is said of the type.
    fn value(&self) -> TokenStream {
        let Entry { field, name, constant, default, .. } = self;
        let span = field.ty.span();
        match (optional(&field.ty), default) {
            // `undefined` and `null`, as JavaScript may have stored, are `None` too.
            (Some(value), _) => quote_spanned! { span =>
                #name: session.get::<::core::option::Option<#value>>(Self::#constant.name()).await?.flatten()
            },
            (None, Some(default)) => quote_spanned! { span =>
                #name: session.get(Self::#constant).await?.unwrap_or_else(#default)
            },
            (None, None) => quote_spanned! { span =>
                #name: session.get_or_default(Self::#constant).await?
            },
        }
    }
}

/// The `T` of an `Option<T>`.
fn optional(value: &Type) -> Option<&Type> {
    let Type::Path(path) = value else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(value)) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// `last_visit` is `lastVisit`.
fn to_camel_case(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel_case = words.next().unwrap_or(name).to_owned();
    for word in words {
        let mut letters = word.chars();
        camel_case.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel_case.push_str(letters.as_str());
    }
    camel_case
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said, and of which part of the source.
    #[track_caller]
    fn refused(source: &str, message: &str, part: &str) {
        let input = syn::parse_str(source).unwrap();
        let error = expand(&input).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.span().source_text().as_deref(), Some(part), "{error}");
    }

    #[test]
    fn what_is_no_plain_struct_is_refused_where_it_shows() {
        refused("struct Shopper(Vec<String>);", "named fields", "(Vec<String>)");
        refused("enum Shopper { Known, Unknown }", "one entry of it", "enum");
        refused("union Shopper { a: u8, b: u8 }", "is a struct", "union");
        refused("struct Shopper<T> { cart: T }", "no parameters", "<T>");
        refused("struct Shopper<'a> { cart: &'a str }", "no parameters", "<'a>");
        refused("struct Shopper;", "has fields", "Shopper");
        refused("struct Shopper {}", "has fields", "Shopper");
    }

    #[test]
    fn what_an_attribute_does_not_mean_is_refused_where_it_stands() {
        let with = |attribute: &str| format!("struct Shopper {{ {attribute} cart: Vec<String> }}");
        refused(&with("#[session(rename = \"x\")]"), "a field takes", "rename");
        refused(&with("#[session(key = \"\")]"), "not empty", "\"\"");
        refused(&with("#[session(key = 7)]"), "string literal", "7");
        refused("#[session(key = \"x\")] struct A { a: u8 }", "a struct takes", "key");
        refused(
            "#[session(rename_all = \"kebab-case\")] struct A { a: u8 }",
            "one case",
            "\"kebab-case\"",
        );
        refused("struct A { #[session(default = f)] a: Option<u8> }", "is `None`", "f");
    }

    #[test]
    fn two_fields_are_two_entries() {
        refused(
            "struct A { a: u8, #[session(key = \"a\")] b: u8 }",
            "the entry \"a\" already",
            "\"a\"",
        );
    }

    #[test]
    fn names_in_camel_case_are_those_that_javascript_would_choose() {
        for (rust, javascript) in
            [("cart", "cart"), ("last_visit", "lastVisit"), ("_a__b1_", "aB1"), ("_", "_")]
        {
            assert_eq!(to_camel_case(rust), javascript);
        }
    }
}
