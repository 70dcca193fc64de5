//! What a configuration says.

use serde::Deserialize;

/// unstorage's options.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The name by which the bucket is bound to the Worker, `BUCKET` by default.
    pub binding: String,
    /// What all names of objects begin with, before a `:`. Nothing by default.
    pub base: String,
}

impl Options {
    /// The default options for the bucket that is bound by this name.
    pub fn new(binding: impl Into<String>) -> Options {
        Options { binding: binding.into(), ..Options::default() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { binding: "BUCKET".to_owned(), base: String::new() }
    }
}
