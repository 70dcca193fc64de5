//! unstorage's option `base`.

/// An option `base` as unstorage's drivers normalise it, which is not quite as it does it for keys: runs of `:` stay, and
/// `?` does.
pub(crate) fn base_of_unstorage(base: &str) -> String {
    let base = base.replace(['/', '\\'], ":");
    let base = base.strip_prefix(':').unwrap_or(&base);
    base.strip_suffix(':').unwrap_or(base).to_owned()
}
