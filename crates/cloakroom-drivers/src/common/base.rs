//! The option `base`.

use cloakroom_storage::{ItemKey, Result, options};

/// What the names of all items begin with by an option `base` that is a key: that and a `:`, or nothing.
pub(crate) fn beginning_of_names(driver: &'static str, base: &str) -> Result<String> {
    if base.is_empty() {
        return Ok(String::new());
    }
    let base = ItemKey::new(base)
        .map_err(|error| options::invalid(driver, "option `base`").with_source(error))?;
    Ok(format!("{}:", base.as_str()))
}

/// An option `base` as unstorage's drivers normalise it, which is not quite as it does it for keys: runs of `:` stay, and
/// `?` does.
pub(crate) fn base_of_unstorage(base: &str) -> String {
    let base = base.replace(['/', '\\'], ":");
    let base = base.strip_prefix(':').unwrap_or(&base);
    base.strip_suffix(':').unwrap_or(base).to_owned()
}
