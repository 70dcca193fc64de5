//! Whether the site has told what its sessions are, since its configuration was changed last.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use super::super::sources::Sources;
use super::super::{Config, in_file, is_script, tables, told};
use crate::error::Result;

/// Where the package writes, below the site's root.
const FILE: &str = ".astro/cloakroom.json";

/// The site's configuration as its package `@cloakroom/astro` has told it. `None` where there is no such file, where it
/// is about another configuration file, or where a script beside that was changed since.
pub(super) fn of_site(path: &Path) -> Result<Option<Config>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let root = folder.unwrap_or(Path::new("."));
    let file = root.join(FILE);
    let Some(when) = modified(&file) else { return Ok(None) };
    if !is_newest(root, when) {
        return Ok(None);
    }
    let read = || {
        let map = tables::file(&file)?;
        let of = map.get(told::MADE_FROM).and_then(Value::as_str);
        if of.is_none() || of != path.file_name().and_then(|name| name.to_str()) {
            return Ok(None);
        }
        let mut map = tables::in_one_form(told::settled(map)?)?;
        let key = match map.get("driver").and_then(Value::as_str) {
            Some("fs-lite") => "base",
            Some("redis") => "path",
            Some("db0" | "sql") => "url",
            _ => "",
        };
        // A relative folder, file or socket is found where Astro's server runs: in the site's root.
        if let Some(Value::String(place)) = map.get_mut("options").and_then(|all| all.get_mut(key))
        {
            *place = place_below(root, key, place);
        }
        let mut sources = Sources::default();
        sources.note(&map, &file.display().to_string());
        let config = Config::from_map(map)?;
        Ok(Some(Config { sources, ..config }))
    };
    read().map_err(|error| in_file(&file, error))
}

/// The place that an option names, where it is relative to the site's root.
fn place_below(root: &Path, option: &str, place: &str) -> String {
    let below = |path: &str| root.join(path).to_string_lossy().into_owned();
    match (option, place.strip_prefix("sqlite:")) {
        ("url", Some(file)) => {
            let file = file.strip_prefix("//").unwrap_or(file);
            // In memory, or a URL of SQLite's own.
            let is_path = !file.is_empty() && !file.starts_with(':') && !file.starts_with("file:");
            if is_path { format!("sqlite:{}", below(file)) } else { place.to_owned() }
        }
        ("url", None) => place.to_owned(),
        _ if place.is_empty() => place.to_owned(),
        _ => below(place),
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Whether no script in the folder was changed since: a configuration may be made of several.
fn is_newest(folder: &Path, when: SystemTime) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut scripts = entries.flatten().map(|entry| entry.path()).filter(|path| is_script(path));
    scripts.all(|script| modified(&script).is_some_and(|changed| changed <= when))
}
