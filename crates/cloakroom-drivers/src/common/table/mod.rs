//! What the drivers have in common that keep rows in a table: statements in each database's words, what they make of
//! their results, and what a database's refusals mean. How a statement gets to a database is the drivers' own:
//! [`Executor`].

mod dialect;
mod executor;
pub(crate) mod literal;
mod meaning;
pub(crate) mod migrate;
pub(crate) mod name;
mod statement;
mod store;
#[cfg(any(feature = "db0", feature = "planetscale"))]
mod unstorage;

pub use dialect::Dialect;
pub(crate) use executor::{Executor, Row};
pub(crate) use meaning::{Aftermath, Meaning};
pub(crate) use statement::{Argument, Arguments, Statement};
pub(crate) use store::{Statements, Store, Versions};
#[cfg(any(feature = "db0", feature = "planetscale"))]
pub(crate) use unstorage::{Layout, Table};
