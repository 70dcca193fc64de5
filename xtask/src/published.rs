//! The crates that are published, and what a registry and its readers want of each.

use std::fs;
use std::path::{Path, PathBuf};

/// Where crates are that are published, unless they say otherwise. Those that are elsewhere have to say it.
const PUBLISHED: &str = "crates";

/// Folders whose packages are nobody's dependency: each of them, and those right below.
const UNPUBLISHED: [&str; 5] = ["bench", "examples", "fuzz", "interop", "xtask"];

/// What a registry takes at most.
const MOST_KEYWORDS: usize = 5;
const LONGEST_KEYWORD: usize = 20;

/// A crate that is published.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    manifest: toml::Table,
}

impl Package {
    fn read(folder: &Path) -> Result<Option<Package>, String> {
        let path = folder.join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let manifest: toml::Table =
            text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
        let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
        let Some(name) = name.map(str::to_owned) else { return Ok(None) };
        Ok(Some(Package { name, folder: folder.to_owned(), manifest }))
    }

    fn field(&self, name: &str) -> Option<&toml::Value> {
        self.manifest.get("package")?.get(name)
    }

    fn is_published(&self) -> bool {
        self.field("publish").and_then(toml::Value::as_bool) != Some(false)
    }

    pub(crate) fn has_library(&self) -> bool {
        self.folder.join("src/lib.rs").is_file()
    }

    /// The words of a list.
    fn list(&self, name: &str) -> Vec<&str> {
        let list = self.field(name).and_then(|list| list.as_array());
        list.into_iter().flatten().filter_map(|word| word.as_str()).collect()
    }

    /// What it lacks.
    fn check(&self) -> Result<(), String> {
        let lacks = |what: &str| Err(format!("{} has no {what}", self.name));
        if self.field("description").is_none() {
            return lacks("description");
        }
        let keywords = self.list("keywords");
        let fits = |word: &&str| word.len() <= LONGEST_KEYWORD;
        if !(1..=MOST_KEYWORDS).contains(&keywords.len()) || !keywords.iter().all(fits) {
            return lacks("keywords, or too many, or too long ones");
        }
        if self.list("categories").is_empty() {
            return lacks("categories");
        }
        let metadata = self.field("metadata").and_then(|metadata| metadata.get("docs")?.get("rs"));
        if metadata.and_then(|docs| docs.get("all-features")?.as_bool()) != Some(true) {
            return lacks("[package.metadata.docs.rs] with all-features");
        }
        let Some(readme) = self.field("readme").and_then(|readme| readme.as_str()) else {
            return lacks("readme");
        };
        let path = self.folder.join(readme);
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if self.has_library() {
            if !text.contains("```rust") {
                return lacks("program in its README");
            }
            let library = fs::read_to_string(self.folder.join("src/lib.rs"));
            let included = format!("{readme}\")");
            if !library.is_ok_and(|text| text.contains("doctest") && text.contains(&included)) {
                return lacks("test that compiles its README's program");
            }
        }
        Ok(())
    }
}

/// All crates that are published, by their names.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>, String> {
    let mut packages = Vec::new();
    for folder in folders(&root.join(PUBLISHED)) {
        packages.extend(Package::read(&folder)?.filter(Package::is_published));
    }
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    match packages.is_empty() {
        true => Err("no crate at all is published".to_owned()),
        false => Ok(packages),
    }
}

/// Whether each of them has what it needs, and nothing else can be published by mistake.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    for package in packages(root)? {
        package.check()?;
    }
    for folder in UNPUBLISHED.map(|folder| root.join(folder)) {
        for folder in folders(&folder).into_iter().chain([folder]) {
            if let Some(package) = Package::read(&folder)?.filter(Package::is_published) {
                return Err(format!("{} does not say `publish = false`", package.name));
            }
        }
    }
    Ok(())
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(manifest: &str) -> String {
        let manifest = manifest.parse().unwrap();
        let package =
            Package { name: "one".to_owned(), folder: PathBuf::from("nowhere"), manifest };
        package.check().unwrap_err()
    }

    #[test]
    fn what_a_published_crate_lacks_is_told() {
        assert_eq!(lacking("[package]"), "one has no description");
        let described = "[package]\ndescription = 'One'\n";
        assert!(lacking(described).contains("keywords"));
        let six = format!("{described}keywords = ['a', 'b', 'c', 'd', 'e', 'f']\n");
        assert!(lacking(&six).contains("keywords"));
        let keywords = format!("{described}keywords = ['a']\n");
        assert!(lacking(&keywords).contains("categories"));
        let categories = format!("{keywords}categories = ['database']\n");
        assert!(lacking(&categories).contains("docs.rs"));
    }

    #[test]
    fn tools_and_examples_are_not_published() {
        let names: Vec<_> =
            packages(&crate::root()).unwrap().into_iter().map(|package| package.name).collect();
        assert!(names.contains(&"cloakroom".to_owned()));
        assert!(!names.contains(&"cloakroom-simulation".to_owned()));
    }
}
