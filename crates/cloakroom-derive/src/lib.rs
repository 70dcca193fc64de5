//! `#[derive(SessionData)]` for Cloakroom's sessions. Use it through the feature `derive` of `cloakroom`.

mod attributes;
mod expand;

use proc_macro::TokenStream;

/// Maps a struct's fields to entries of the session.
///
/// Each field brings a constant, its name in capitals and as visible as it is, which is the `Key` of its entry; and
/// `SessionData::load` reads them all. A field whose entry is missing is `None` where it is an `Option`, its own
/// default where it has one, and else the default of its type.
///
/// | attribute | on | means |
/// |---|---|---|
/// | `#[session(rename_all = "camelCase")]` | the struct | entries are named as JavaScript names them |
/// | `#[session(key = "settings:homepage")]` | a field | the name of its entry |
/// | `#[session(default = path)]` | a field | the function that makes its default |
/// | `#[session(crate = "cloakroom_session")]` | the struct | where `Key` and its like are, if not in `::cloakroom` |
///
/// Nothing is written through the struct: a write of the whole would undo what other requests have changed.
/// Write through the keys. The trait of the same name has an example.
#[proc_macro_derive(SessionData, attributes(session))]
pub fn session_data(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
