//! The `sql` driver against real databases.
#![cfg(all(feature = "sql", feature = "postgres", feature = "mysql", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use cloakroom_storage::drivers::sql::{Options, Sql};
use cloakroom_storage::{DynDriver, conformance};
use interop_peers::{MariaDb, Postgres};

async fn sql(url: impl Into<String>) -> DynDriver {
    Arc::new(Sql::new(Options::new(url)).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_postgresql_obeys_every_rule() {
    let Some(postgres) = Postgres::start() else { return };
    conformance::run(|| sql(postgres.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_mariadb_obeys_every_rule() {
    let Some(mariadb) = MariaDb::start() else { return };
    conformance::run(|| sql(mariadb.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_sqlite_in_a_file_obeys_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/sessions.db", folder.path().display());
    conformance::run(|| sql(url.as_str())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_sqlite_in_memory_obeys_every_rule() {
    let memory = sql("sqlite::memory:").await;
    conformance::run(|| async { memory.clone() }).await;
}
