//! What carries statements to a database.

use bytes::Bytes;

use super::dialect::Dialect;
use super::statement::{Arguments, Statement};
use cloakroom_storage::Error;

/// A database, over whatever leads to it.
pub(crate) trait Executor: Send + Sync {
    /// Why a statement has no result.
    type Failure: Send;

    fn dialect(&self) -> Dialect;

    /// Names the database, without secrets.
    fn place(&self) -> &str;

    /// Whether a row counts as changed that was found and is as it was.
    fn counts_found_rows(&self) -> bool;

    /// How many rows the statement found and changed.
    fn execute(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> impl Future<Output = Result<u64, Self::Failure>> + Send;

    /// The rows that the statement selects.
    fn fetch(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, Self::Failure>> + Send;

    /// Asks for the first time.
    fn look(&self, probe: &Statement) -> impl Future<Output = Result<(), Self::Failure>> + Send;

    /// As an error of a driver.
    fn error(&self, failure: Self::Failure) -> Error;

    /// Whether a row is in the way.
    fn is_duplicate(&self, failure: &Self::Failure) -> bool;

    /// Whether the table is not there, or lacks a column.
    fn is_missing_table(&self, failure: &Self::Failure) -> bool;

    /// Whether what was to be created is there, as when several processes start at once.
    fn is_there_already(&self, failure: &Self::Failure) -> bool;
}

/// A row as every statement selects it: bytes or a text, and then numbers.
pub(crate) struct Row {
    pub(crate) bytes: Option<Bytes>,
    pub(crate) numbers: [Option<i64>; 2],
}
