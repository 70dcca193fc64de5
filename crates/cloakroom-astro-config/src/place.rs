//! Which options of drivers name a place on this machine.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// Puts what `below` makes of it in the place of the folder, file or socket that an option names: a relative one is found
/// where Astro's server runs.
///
/// # Errors
/// Those of `below`, which is not asked where nothing is named.
pub fn resolve_place<E>(
    driver: &str,
    options: &mut Map<String, Value>,
    below: impl FnOnce(&str) -> Result<PathBuf, E>,
) -> Result<(), E> {
    let (option, scheme) = match driver {
        "fs-lite" => ("base", ""),
        "redis" => ("path", ""),
        "db0" | "sql" => ("url", "sqlite:"),
        _ => return Ok(()),
    };
    let Some(Value::String(place)) = options.get_mut(option) else { return Ok(()) };
    let Some(path) = place.strip_prefix(scheme) else { return Ok(()) };
    let path = if scheme.is_empty() { path } else { path.strip_prefix("//").unwrap_or(path) };
    // In memory, or a URL of SQLite's own.
    let is_other = !scheme.is_empty() && (path.starts_with(':') || path.starts_with("file:"));
    if !path.is_empty() && !is_other {
        *place = format!("{scheme}{}", below(path)?.to_string_lossy());
    }
    Ok(())
}
