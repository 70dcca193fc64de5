//! What is depended on: under which licences, from where, and nothing that was decided against. `deny.toml` has the lists,
//! which the program `cargo deny` reads as well.

use std::collections::BTreeSet;
use std::path::Path;

use crate::test::cargo;

/// Where the lists are.
const LISTS: &str = "deny.toml";

/// Where everything comes from, as `Cargo.lock` says it: the registry that cargo has by default.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Compares what is depended on with the lists.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let lists = read(root, LISTS)?;
    let allowed: BTreeSet<&str> = words(&lists, "licenses", "allow").collect();
    if allowed.is_empty() {
        return Err(format!("{LISTS} allows no licence at all"));
    }
    let banned: BTreeSet<&str> = words(&lists, "bans", "deny").collect();
    let lock = read(root, "Cargo.lock")?;
    for package in lock.get("package").and_then(|list| list.as_array()).into_iter().flatten() {
        let field = |name: &str| package.get(name).and_then(|value| value.as_str());
        let name = field("name").unwrap_or_default();
        if banned.contains(name) {
            return Err(format!("Cargo.lock has {name}, against which {LISTS} decides"));
        }
        if let Some(source) = field("source").filter(|source| *source != REGISTRY) {
            return Err(format!("{name} comes from {source}"));
        }
    }
    licences(root, &allowed)
}

fn read(root: &Path, path: &str) -> Result<toml::Table, String> {
    let text =
        std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    text.parse().map_err(|error| format!("{path}: {error}"))
}

/// The words of a list, or the crates that its tables name.
fn words<'a>(lists: &'a toml::Table, part: &str, list: &str) -> impl Iterator<Item = &'a str> {
    let list = lists.get(part).and_then(|part| part.get(list)?.as_array());
    list.into_iter()
        .flatten()
        .filter_map(|item| item.as_str().or_else(|| item.get("crate")?.as_str()))
}

fn licences(root: &Path, allowed: &BTreeSet<&str>) -> Result<(), String> {
    let tree = ["tree", "--workspace", "--all-features", "--target", "all", "--locked", "--quiet"];
    let format = ["--prefix", "none", "--format", "{p}\t{l}"];
    let edges = ["--edges", "normal,build,dev"];
    let output = cargo(root, &[&tree[..], &format, &edges].concat()).output();
    let output = output.map_err(|error| format!("cargo tree did not start: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let packages: BTreeSet<(&str, &str)> =
        text.lines().filter_map(|line| line.split_once('\t')).collect();
    if packages.is_empty() {
        return Err("cargo tree named no package".to_owned());
    }
    for (package, licence) in packages {
        // A star stands behind what was shown before.
        if !is_allowed(licence.trim_end_matches(" (*)"), allowed) {
            return Err(format!("{package} is under {licence:?}, which {LISTS} does not allow"));
        }
    }
    Ok(())
}

/// Whether an expression of SPDX's can be met. An old one may have a slash where one may choose.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = text.split_whitespace().peekable();
    let outcome = any(&mut words, allowed);
    outcome && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `AND` binds more than `OR`.
fn any(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut outcome = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        // Read to its end whatever came before it.
        outcome |= all(words, allowed);
    }
    outcome
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut outcome = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        outcome &= one(words, allowed);
    }
    outcome
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some("(") => any(words, allowed) & words.next_if_eq(&")").is_some(),
        Some(licence) => match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
            Some(exception) => allowed.contains(format!("{licence} WITH {exception}").as_str()),
            None => allowed.contains(licence),
        },
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_allowed_where_it_can_be_met() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].into();
        let is = |expression| is_allowed(expression, &allowed);
        assert!(is("MIT") && is("GPL-3.0 OR MIT") && is("MIT/Apache-2.0"));
        assert!(is("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(is("Apache-2.0 WITH LLVM-exception"));
        assert!(!is("Apache-2.0") && !is("MIT AND GPL-3.0") && !is("GPL-3.0 AND (MIT"));
        assert!(!is("(MIT OR GPL-3.0) AND ISC") && !is(""));
    }
}
