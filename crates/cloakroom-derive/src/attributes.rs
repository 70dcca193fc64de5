//! What `#[session(…)]` says.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Path, Result};

/// What it says of a struct.
pub(crate) struct StructAttributes {
    /// Where the types of sessions are.
    pub(crate) sessions: Path,
    pub(crate) camel_case: bool,
}

impl StructAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<StructAttributes> {
        let mut parsed =
            StructAttributes { sessions: syn::parse_quote!(::cloakroom), camel_case: false };
        each(attributes, |meta| {
            if meta.path.is_ident("crate") {
                parsed.sessions = meta.value()?.parse::<LitStr>()?.parse()?;
                return Ok(());
            }
            if meta.path.is_ident("rename_all") {
                let case: LitStr = meta.value()?.parse()?;
                if case.value() != "camelCase" {
                    return Err(Error::new(
                        case.span(),
                        "the one case that fields can be renamed to is \"camelCase\"",
                    ));
                }
                parsed.camel_case = true;
                return Ok(());
            }
            Err(meta.error("a struct takes `rename_all = \"camelCase\"` and `crate = \"…\"`"))
        })?;
        Ok(parsed)
    }
}

/// What it says of a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) key: Option<LitStr>,
    pub(crate) default: Option<Path>,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<FieldAttributes> {
        let mut parsed = FieldAttributes::default();
        each(attributes, |meta| {
            if meta.path.is_ident("key") {
                let key: LitStr = meta.value()?.parse()?;
                if key.value().is_empty() {
                    return Err(Error::new(
                        key.span(),
                        "a session entry needs a key that is not empty",
                    ));
                }
                parsed.key = Some(key);
                return Ok(());
            }
            if meta.path.is_ident("default") {
                parsed.default = Some(meta.value()?.parse()?);
                return Ok(());
            }
            Err(meta.error("a field takes `key = \"…\"` and `default = path::to::function`"))
        })?;
        Ok(parsed)
    }
}

fn each(
    attributes: &[Attribute],
    mut parse: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let ours = attributes.iter().filter(|attribute| attribute.path().is_ident("session"));
    ours.into_iter().try_for_each(|attribute| attribute.parse_nested_meta(|meta| parse(&meta)))
}
