//! The reference of the configuration, which is written from the structs that a configuration is read into.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cloakroom_drivers::drivers;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, Field, Fields, Item, ItemStruct, Lit, Meta, PathSegment, Token, Type,
    Visibility,
};

/// Where the structs of the session's own settings are, and what each is headed.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("The session", "crates/cloakroom-session/src/config/mod.rs", "Config"),
    ("`cookie`", "crates/cloakroom-session/src/config/cookie.rs", "CookieConfig"),
    (
        "`encryption`",
        "crates/cloakroom-session/src/config/at_rest/encryption.rs",
        "EncryptionConfig",
    ),
];

/// The folder of the drivers.
const DRIVERS: &str = "crates/cloakroom-drivers/src";

/// Every table.
pub(crate) fn tables(root: &Path) -> Result<String, String> {
    let mut text = String::from("\n");
    for (heading, path, name) in SETTINGS {
        let structs = structs(&[root.join(path)])?;
        let found = structs.iter().find(|it| it.ident == name);
        let found = found.ok_or_else(|| format!("{path} has no struct `{name}`"))?;
        _ = write!(text, "## {heading}\n\n{}\n", table(found));
    }
    text.push_str("## `options`, driver by driver\n\n");
    for driver in drivers() {
        _ = write!(text, "### `{}`\n\n{}", driver.name, options(root, driver.name)?);
    }
    Ok(text)
}

/// The tables of a driver's options.
fn options(root: &Path, driver: &str) -> Result<String, String> {
    let structs = structs(&files(root, driver))?;
    let Some(options) = structs.iter().find(|it| it.ident == "Options") else {
        return Err(format!("the driver `{driver}` has no struct `Options`"));
    };
    if options.fields.is_empty() {
        return Ok("It has none.\n\n".to_owned());
    }
    let mut text = table(options) + "\n";
    // What an option is made of, where that has names of its own.
    let mut told = vec![&options.ident];
    for field in &options.fields {
        let inner = innermost(&field.ty);
        let found = structs.iter().find(|it| it.ident == inner && !told.contains(&&it.ident));
        if let Some(inner) = found {
            told.push(&inner.ident);
            let keys = options.fields.iter().filter(|it| inner.ident == innermost(&it.ty));
            let keys: Vec<_> = keys.map(|field| format!("`{}`", key(field))).collect();
            let keys = keys.join(", ");
            _ = match inner.fields {
                Fields::Named(_) => write!(text, "{keys}:\n\n{}\n", table(inner)),
                _ => write!(text, "{keys}: {}\n\n", cell(&inner.attrs)),
            };
        }
    }
    Ok(text)
}

/// One row for each field that a user may set.
fn table(item: &ItemStruct) -> String {
    let mut text = String::from("| name | is | |\n|---|---|---|\n");
    // A struct that is not public is for configurations alone, and so are its fields.
    let is_for_configurations = !is_public(&item.vis);
    let shown = |field: &&Field| is_for_configurations || is_public(&field.vis);
    for field in item.fields.iter().filter(shown) {
        let (key, kind, meaning) = (key(field), kind(&field.ty), cell(&field.attrs));
        let kind = match is_needed(item, field) {
            true => format!("{kind}, *needed*"),
            false => kind.to_owned(),
        };
        _ = match is_flattened(field) {
            true => writeln!(text, "| | | {meaning} |"),
            false => writeln!(text, "| `{key}` | {kind} | {meaning} |"),
        };
    }
    text
}

/// The files in which a driver's structs may stand.
fn files(root: &Path, driver: &str) -> Vec<PathBuf> {
    let module = root.join(DRIVERS).join(driver.replace('-', "_"));
    let mut files = vec![module.with_extension("rs")];
    files.extend(fs::read_dir(module).into_iter().flatten().flatten().map(|entry| entry.path()));
    files.retain(|path| path.extension().is_some_and(|it| it == "rs") && path.is_file());
    files.sort();
    files
}

fn structs(files: &[PathBuf]) -> Result<Vec<ItemStruct>, String> {
    let mut structs = Vec::new();
    for path in files {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        let file = syn::parse_file(&text).map_err(|error| failed(&error))?;
        structs.extend(file.items.into_iter().filter_map(|item| match item {
            Item::Struct(item) => Some(item),
            _ => None,
        }));
    }
    Ok(structs)
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn name_of(field: &Field) -> String {
    field.ident.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// What a driver's option is called in a configuration.
fn key(field: &Field) -> String {
    let renamed = told(&field.attrs).into_iter().find_map(|meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("rename") => string(&pair.value),
        _ => None,
    });
    renamed.unwrap_or_else(|| camel_case(&name_of(field)))
}

/// Whether serde has nothing to put in its place.
fn is_needed(item: &ItemStruct, field: &Field) -> bool {
    let has_default = |attributes: &[Attribute]| {
        told(attributes)
            .iter()
            .any(|meta| ["default", "flatten"].iter().any(|it| meta.path().is_ident(it)))
    };
    let is_option = last_segment(&field.ty).is_some_and(|last| last.ident == "Option");
    let is_read =
        item.attrs.iter().any(|it| it.path().is_ident("derive") && derives(it, "Deserialize"));
    is_read && !is_option && !has_default(&item.attrs) && !has_default(&field.attrs)
}

fn derives(attribute: &Attribute, name: &str) -> bool {
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    attribute
        .parse_args_with(parse)
        .is_ok_and(|derived| derived.iter().any(|it| it.path().is_ident(name)))
}

/// Whether the options inside stand beside the others in a configuration.
fn is_flattened(field: &Field) -> bool {
    told(&field.attrs).iter().any(|meta| meta.path().is_ident("flatten"))
}

/// What serde is told.
fn told(attributes: &[Attribute]) -> Vec<Meta> {
    let told = attributes.iter().filter(|it| it.path().is_ident("serde"));
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    told.flat_map(|it| it.parse_args_with(parse).into_iter().flatten()).collect()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let mut letters = word.chars();
        let initial: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        camel + &initial + letters.as_str()
    })
}

/// The last word of a type's path.
fn last_segment(kind: &Type) -> Option<&PathSegment> {
    match kind {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// What is inside of `Option`, `Vec`, and what is read later than the rest.
fn innermost(kind: &Type) -> String {
    let Some(last) = last_segment(kind) else { return String::new() };
    match (&last.arguments, last.ident.to_string().as_str()) {
        (syn::PathArguments::AngleBracketed(inner), "Option" | "Vec" | "Given") => {
            let inner = inner.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(kind) => Some(innermost(kind)),
                _ => None,
            });
            inner.unwrap_or_default()
        }
        (_, name) => name.to_owned(),
    }
}

/// Whether there is a `Vec` in it.
fn is_list(kind: &Type) -> bool {
    let Some(last) = last_segment(kind) else { return false };
    let syn::PathArguments::AngleBracketed(inner) = &last.arguments else { return false };
    let within = |argument: &syn::GenericArgument| match argument {
        syn::GenericArgument::Type(kind) => is_list(kind),
        _ => false,
    };
    last.ident == "Vec" || inner.args.iter().any(within)
}

/// How an option is written.
fn kind(kind: &Type) -> &'static str {
    if is_list(kind) {
        return "a list";
    }
    match innermost(kind).as_str() {
        "bool" => "a switch",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "f64" | "Duration" => "a number",
        "Map" | "HashMap" | "BTreeMap" => "a table",
        "KeyHasher" => "a switch or a table",
        name if ["Options", "Limits", "Config"].iter().any(|it| name.ends_with(it)) => "a table",
        // A name of one of a few, too.
        _ => "a text",
    }
}

/// A documentation's text as one cell.
fn cell(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => string(&pair.value),
        _ => None,
    });
    let text = lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    without_links(&text).replace('|', "\\|")
}

/// Links into the code lead nowhere from a page: their words stay.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        plain.push_str(&rest[..open]);
        let Some(close) = rest[open..].find(']').map(|at| open + at) else { break };
        let (words, after) = (&rest[open + 1..close], &rest[close + 1..]);
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        match target {
            Some((target, after)) if target.starts_with("http") => {
                _ = write!(plain, "[{words}]({target})");
                rest = after;
            }
            Some((_, after)) => {
                plain.push_str(words);
                rest = after;
            }
            // `[0, 1]` is no link.
            None if words.starts_with('`') => {
                plain.push_str(words);
                rest = after;
            }
            None => {
                _ = write!(plain, "[{words}]");
                rest = after;
            }
        }
    }
    plain + rest
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_a_table_of_what_may_be_set() {
        let item: ItemStruct = syn::parse_quote! {
            #[derive(Clone, Deserialize)]
            pub struct Options {
                /// Where the server is,
                /// as [`Url`](url::Url) has it: `a|b`.
                pub url: String,
                /// The site, see [Netlify](https://docs.netlify.com).
                #[serde(rename = "siteID")]
                pub site_id: Option<String>,
                pub max_pool_size: Option<u32>,
                #[serde(default)]
                pub nodes: Vec<String>,
                hidden: bool,
            }
        };
        let expected = "| name | is | |\n|---|---|---|\n\
            | `url` | a text, *needed* | Where the server is, as `Url` has it: `a\\|b`. |\n\
            | `siteID` | a text | The site, see [Netlify](https://docs.netlify.com). |\n\
            | `maxPoolSize` | a number |  |\n\
            | `nodes` | a list |  |\n";
        assert_eq!(table(&item), expected);
    }
}
