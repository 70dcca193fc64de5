//! The `db0` driver against real databases.
#![cfg(all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use cloakroom_storage::drivers::db0::{Db0, Options};
use cloakroom_storage::{DynDriver, conformance};
use interop_peers::{MariaDb, Postgres};
use sqlx::Connection;

async fn db0(url: impl Into<String>) -> DynDriver {
    Arc::new(Db0::new(Options::new(url)).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_postgresql_obeys_every_rule() {
    let Some(postgres) = Postgres::start() else { return };
    conformance::run(|| db0(postgres.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_mariadb_obeys_every_rule() {
    let Some(mariadb) = MariaDb::start() else { return };
    // The usual collation takes `a` and `ä` for one key, and so does JavaScript then.
    let mut raw = sqlx::MySqlConnection::connect(&mariadb.url()).await.unwrap();
    let exact = "ALTER DATABASE cloakroom CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    sqlx::query(exact).execute(&mut raw).await.unwrap();
    conformance::run(|| db0(mariadb.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_sqlite_in_a_file_obeys_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/sessions.db", folder.path().display());
    conformance::run(|| db0(url.as_str())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_sqlite_in_memory_obeys_every_rule() {
    let memory = db0("sqlite::memory:").await;
    conformance::run(|| async { memory.clone() }).await;
}
