//! `cargo xtask release --dry-run`: whether what is published could be, and says the same everywhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use cloakroom_drivers::drivers;

use crate::command::{execute, is_installed, target};
use crate::published::{self, Package};
use crate::report::Report;
use crate::test::cargo;

/// What a package may weigh, in bytes: whoever builds anything with it loads it.
const HEAVIEST: u64 = 1024 * 1024;

const CHANGELOG: &str = "CHANGELOG.md";

/// What compares one's public items with those of the last release.
const SEMVER: &str = "cargo-semver-checks";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Report {
    let mut report = Report::default();
    if arguments != ["--dry-run"] {
        let reason =
            "only `--dry-run`: what is published cannot be taken back, and is published by hand";
        report.check("release", Err(reason.to_owned()));
        return report;
    }
    report.check("what each crate says of itself", published::check(root));
    let packages = match published::packages(root) {
        Ok(packages) => packages,
        Err(reason) => {
            report.check("packages", Err(reason));
            return report;
        }
    };
    let version = version(root);
    report.check("versions", version.as_ref().map_err(Clone::clone).and_then(|it| agree(root, it)));
    report.check("packages", package(root, &packages));
    if let Ok(version) = version {
        for package in &packages {
            report.check(&format!("weight: {}", package.name), weigh(root, package, &version));
        }
    }
    report.check("compatibility", compatibility(root, &packages));
    report
}

/// The version of all crates.
fn version(root: &Path) -> Result<String, String> {
    let version = manifest(root)?
        .get("workspace")
        .and_then(|workspace| Some(workspace.get("package")?.get("version")?.as_str()?.to_owned()));
    version.ok_or_else(|| "Cargo.toml states no version".to_owned())
}

fn manifest(root: &Path) -> Result<toml::Table, String> {
    read(root, "Cargo.toml")?.parse().map_err(|error| format!("Cargo.toml: {error}"))
}

fn read(root: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
}

/// The changelog, what the crates want of each other, and the documentation are about this version.
fn agree(root: &Path, version: &str) -> Result<(), String> {
    let changelog = read(root, CHANGELOG)?;
    if newest(&changelog) != Some(version) {
        return Err(format!("{CHANGELOG} does not begin with `## {version}`"));
    }
    let manifest = manifest(root)?;
    let wanted = manifest.get("workspace").and_then(|it| it.get("dependencies")?.as_table());
    for (name, dependency) in wanted.into_iter().flatten() {
        let is_ours = dependency.get("path").is_some();
        if let Some(other) = dependency.get("version").and_then(|version| version.as_str())
            && is_ours
            && other != version
        {
            return Err(format!("{name} is wanted at {other}, and is {version}"));
        }
    }
    for driver in drivers() {
        let is_told = |heading: &str| heading == driver.since || belongs(heading, driver.since);
        if !headings(&changelog).any(is_told) {
            return Err(format!(
                "{} is since {}, which {CHANGELOG} does not have",
                driver.name, driver.since
            ));
        }
    }
    for path in ["README.md", "docs/drivers.md", "crates/cloakroom/src/lib.rs"] {
        if let Some(line) = read(root, path)?.lines().find(|line| is_other(line, version)) {
            return Err(format!("{path} is about another version than {version}: {line}"));
        }
    }
    Ok(())
}

/// The versions that have a heading of their own, the newest first.
fn headings(changelog: &str) -> impl Iterator<Item = &str> {
    let lines = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    lines.filter_map(|line| line.split_whitespace().next())
}

fn newest(changelog: &str) -> Option<&str> {
    headings(changelog).next()
}

/// Whether a version, such as 0.1.2, is one of a shorter one, such as 0.1.
fn belongs(version: &str, shorter: &str) -> bool {
    version.strip_prefix(shorter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a line of a manifest, `cloakroom = "0.1"` or with a table, asks for another version.
fn is_other(line: &str, version: &str) -> bool {
    let Some((name, wanted)) = line.trim_start_matches(['/', '!', ' ']).split_once(" = ") else {
        return false;
    };
    let ours = name == "serde_devalue" || name == "cloakroom" || name.starts_with("cloakroom-");
    let wanted = wanted.strip_prefix("{ version = ").unwrap_or(wanted);
    let wanted = wanted.strip_prefix('"').and_then(|rest| rest.split('"').next());
    ours && wanted.is_some_and(|wanted| {
        wanted.starts_with(|letter: char| letter.is_ascii_digit()) && !belongs(version, wanted)
    })
}

/// Makes all packages at once, since each wants others that no registry has yet, and builds each from its package.
fn package(root: &Path, packages: &[Package]) -> Result<(), String> {
    let names: Vec<[&str; 2]> = packages.iter().map(|one| ["--package", &one.name]).collect();
    execute(&mut cargo(root, &[&["package", "--quiet"], names.as_flattened()].concat()))
}

fn weigh(root: &Path, package: &Package, version: &str) -> Result<(), String> {
    let name = format!("{}-{version}.crate", package.name);
    let path = target(root).join("package").join(&name);
    let weight = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    println!("{name}: {} KiB", weight.div_ceil(1024));
    match weight <= HEAVIEST {
        true => Ok(()),
        false => Err(format!("it weighs {weight} bytes, of at most {HEAVIEST}")),
    }
}

/// Nothing that the last release had is gone, where there was one; `cargo install cargo-semver-checks` has to be there then.
fn compatibility(root: &Path, packages: &[Package]) -> Result<(), String> {
    let Some(baseline) = last_release(root)? else {
        println!("there is no tag of a release, and so nothing to be compatible with");
        return Ok(());
    };
    if !is_installed(SEMVER) {
        return Err(format!("{SEMVER} is not installed: `cargo install {SEMVER} --locked`"));
    }
    let mut arguments = vec!["semver-checks", "--baseline-rev", &baseline];
    for package in packages.iter().filter(|package| package.has_library()) {
        arguments.extend(["--package", &package.name]);
    }
    execute(&mut cargo(root, &arguments))
}

/// The newest tag of a release, such as `v0.1.0`.
fn last_release(root: &Path) -> Result<Option<String>, String> {
    let tags = ["tag", "--list", "v[0-9]*", "--sort=-version:refname"];
    let tags = Command::new("git").args(tags).current_dir(root).output();
    let tags = tags.map_err(|error| format!("git did not say which tags there are: {error}"))?;
    Ok(String::from_utf8_lossy(&tags.stdout).lines().next().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_changelog_is_its_first_heading() {
        assert_eq!(
            newest("# Changelog\n\n## 0.2.0 (unreleased)\n\n- …\n\n## 0.1.0\n"),
            Some("0.2.0")
        );
        assert!(belongs("0.1.0", "0.1") && !belongs("0.10.0", "0.1"));
    }

    #[test]
    fn a_line_that_wants_another_version_is_found() {
        assert!(is_other("cloakroom = \"0.2\"", "0.1.0"));
        assert!(is_other("//! cloakroom-cli = { version = \"1\", features = [] }", "0.1.0"));
        assert!(!is_other("cloakroom = \"0.1\"", "0.1.0"));
        assert!(!is_other("cloakroom = { path = \"../cloakroom\" }", "0.1.0"));
        assert!(!is_other("axum = \"0.8\"", "0.1.0"));
    }
}
