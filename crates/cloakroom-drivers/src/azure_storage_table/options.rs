//! What a configuration says.

use std::fmt;

use serde::Deserialize;

use super::{LARGEST_PAGE, NAME};
use cloakroom_storage::{Result, options};

/// unstorage's options for `azure-storage-table`.
///
/// What lets us in is the first that is given of `accountKey`, `sasKey` and `connectionString`.
///
/// DIFFERENCE: one of them is needed. JavaScript falls back on the identities that `@azure/identity` finds.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The account's name, which goes with `accountKey` and `sasKey`.
    ///
    /// DIFFERENCE: `connectionString` needs none beside it.
    pub account_name: Option<String>,
    /// A key of the account, in base64 as Azure shows it.
    pub account_key: Option<String>,
    /// A shared access signature, with or without the `?` before it.
    pub sas_key: Option<String>,
    /// A connection string as Azure shows it, or `UseDevelopmentStorage=true` for the emulator.
    pub connection_string: Option<String>,
    /// The table, `unstorage` by default: letters and digits alone.
    pub table_name: String,
    /// The partition key of all items, `unstorage` by default.
    pub partition_key: String,
    /// How many keys one request lists, 1000 by default and at most.
    pub page_size: u32,
}

impl Options {
    /// The default options with this connection string. Where something else lets us in, begin with
    /// [`Options::default`].
    pub fn new(connection_string: impl Into<String>) -> Options {
        Options { connection_string: Some(connection_string.into()), ..Options::default() }
    }

    pub(super) fn check(&self) -> Result<()> {
        if !(1..=LARGEST_PAGE).contains(&self.page_size) {
            let message = format!("option `pageSize`: it must be from 1 to {LARGEST_PAGE}");
            return Err(options::invalid(NAME, message));
        }
        let table = &self.table_name;
        if table.is_empty() || !table.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            let message = "option `tableName`: a table's name has letters and digits alone";
            return Err(options::invalid(NAME, message));
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            account_name: None,
            account_key: None,
            sas_key: None,
            connection_string: None,
            table_name: "unstorage".to_owned(),
            partition_key: "unstorage".to_owned(),
            page_size: LARGEST_PAGE,
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out all that lets somebody in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account_name", &self.account_name)
            .field("table_name", &self.table_name)
            .field("partition_key", &self.partition_key)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}
