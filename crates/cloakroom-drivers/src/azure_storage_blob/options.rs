//! What a configuration says.

use std::fmt;

use serde::Deserialize;

/// unstorage's options for `azure-storage-blob`.
///
/// What lets us in is the first that is given of `accountKey`, `sasUrl`, `sasKey` and `connectionString`.
///
/// DIFFERENCE: one of them is needed. JavaScript falls back on the identities that `@azure/identity` finds.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The account's name, which goes with `accountKey` and `sasKey`.
    pub account_name: Option<String>,
    /// A key of the account, in base64 as Azure shows it.
    pub account_key: Option<String>,
    /// A shared access signature, with or without the `?` before it.
    pub sas_key: Option<String>,
    /// The URL of the account or of the container, with a shared access signature. It is taken for the container's where
    /// `containerName` is given and its path ends with that.
    pub sas_url: Option<String>,
    /// A connection string as Azure shows it, or `UseDevelopmentStorage=true` for the emulator.
    pub connection_string: Option<String>,
    /// The container, `unstorage` by default.
    pub container_name: Option<String>,
    /// The end of the host's name, after the account's: `.blob.core.windows.net` by default. It goes with `accountName`.
    pub endpoint_suffix: Option<String>,
}

impl Options {
    /// The default options with this connection string. Where something else lets us in, begin with
    /// [`Options::default`].
    pub fn new(connection_string: impl Into<String>) -> Options {
        Options { connection_string: Some(connection_string.into()), ..Options::default() }
    }
}

impl fmt::Debug for Options {
    /// Leaves out all that lets somebody in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account_name", &self.account_name)
            .field("container_name", &self.container_name)
            .field("endpoint_suffix", &self.endpoint_suffix)
            .finish_non_exhaustive()
    }
}
