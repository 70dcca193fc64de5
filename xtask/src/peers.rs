//! Installs what the tests talk to: curl, Node.js and what npm brings, and a browser.

use std::path::Path;

use crate::command::{command, execute, is_installed};

/// Debian's packages, by the program that shows that one is there.
const PACKAGES: [(&str, &str); 4] =
    [("curl", "curl"), ("node", "nodejs"), ("npm", "npm"), ("chromium", "chromium")];

pub(crate) fn install(root: &Path) -> Result<(), String> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        apt(root, &["update"])?;
        let install = ["install", "--yes", "--no-install-recommends"];
        apt(root, &[&install[..], &missing[..]].concat())?;
    }
    let npm = ["ci", "--no-audit", "--no-fund", "--prefer-offline"];
    execute(&mut command(&root.join("interop"), "npm", &npm))
}

fn apt(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut words = vec!["apt-get"];
    words.extend(arguments);
    // Root needs no sudo, and a container often has none.
    let mut apt = match is_installed("sudo") {
        true => command(root, "sudo", &words),
        false => command(root, "apt-get", arguments),
    };
    execute(apt.env("DEBIAN_FRONTEND", "noninteractive"))
}
