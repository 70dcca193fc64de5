//! Whether the site has told what its sessions are, since its configuration was changed last.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use cloakroom_astro_config::resolve_place;
use serde_json::Value;

use super::super::sources::Sources;
use super::super::{Config, in_file, is_script, tables, told};
use crate::error::{Error, Result};

/// Where the package writes, below the site's root.
const FILE: &str = ".astro/cloakroom.json";

/// The site's configuration as its package `@cloakroom/astro` has told it. `None` where there is no such file, where it
/// is about another configuration file, or where a script beside that was changed since.
pub(super) fn of_site(path: &Path) -> Result<Option<Config>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let root = folder.unwrap_or(Path::new("."));
    let file = root.join(FILE);
    let Some(when) = modified(&file) else { return untold(path) };
    let is_fresh = is_newest(root, when);
    let read = || {
        let map = tables::file(&file)?;
        let of = map.get(told::MADE_FROM).and_then(Value::as_str);
        if of.is_none() || of != path.file_name().and_then(|name| name.to_str()) {
            return untold(path);
        }
        if !is_fresh {
            return match told::is_at_rest(&map) {
                // Its source does not show it, and nothing of the site's is to be stored as it is.
                true => Err(Error::config(
                    "the site has told that its IDs are hashed or its records sealed, and a script beside its configuration was \
                     changed since: start or build the site, so that it tells anew",
                )),
                false => Ok(None),
            };
        }
        let mut map = tables::in_one_form(told::settled(map)?)?;
        let driver = map.get("driver").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(Value::Object(options)) = map.get_mut("options") {
            resolve_place(&driver, options, |path| Ok::<_, Error>(root.join(path)))?;
        }
        #[cfg(feature = "encryption")]
        if let Some(Value::Object(encryption)) = map.get_mut("encryption")
            && let Some(Value::String(file)) = encryption.get_mut("keyFile")
            && !super::super::at_rest::is_key(file)
        {
            *file = root.join(&*file).display().to_string();
        }
        let mut sources = Sources::default();
        sources.note(&map, &file.display().to_string());
        let config = Config::from_map(map)?;
        Ok(Some(Config { sources, ..config }))
    };
    read().map_err(|error| in_file(&file, error))
}

/// Leaves it to the source, unless that names what is not in what it says of the session: nothing of a site's is to be stored
/// as it is that hashes its IDs or seals its records.
fn untold(path: &Path) -> Result<Option<Config>> {
    let source = fs::read_to_string(path).unwrap_or_default();
    let names = |word: &&str| source.contains(*word);
    match names(&"@cloakroom/astro") && ["hashIds", "encryption"].iter().any(names) {
        true => Err(in_file(
            path,
            Error::config(
                "the site names `hashIds` or `encryption` of @cloakroom/astro, whose secrets its source does not show: start or \
                 build the site, so that it tells what its sessions are",
            ),
        )),
        false => Ok(None),
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
