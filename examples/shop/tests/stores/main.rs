//! The shop under load, while its store or the shop itself goes away: nothing that was acknowledged is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Makes a module of the test's name with one test for each store that is one server.
macro_rules! on_every_server {
    ($test:ident) => {
        mod $test {
            on_servers!($test);
        }
    };
}

/// Makes a module of the test's name with one test for each group of servers that fails over.
macro_rules! on_every_group {
    ($test:ident) => {
        mod $test {
            on_groups!($test);
        }
    };
}

/// Makes a module of the test's name with one test for each store.
macro_rules! on_every_store {
    ($test:ident) => {
        mod $test {
            on!($test, fs_lite, fs_lite());
            on!($test, sql_on_sqlite, sqlite("sql"), feature = "databases");
            on!($test, db0_on_sqlite, sqlite("db0"), feature = "databases");
            on_groups!($test);
            on_servers!($test);
        }
    };
}

macro_rules! on_groups {
    ($test:ident) => {
        on!($test, redis_cluster, redis_cluster(), feature = "redis");
        on!($test, redis_sentinel, redis_sentinel(), feature = "redis");
    };
}

macro_rules! on_servers {
    ($test:ident) => {
        on!($test, redis, redis(), feature = "redis");
        on!($test, valkey, valkey(), feature = "redis");
        on!($test, sql_on_postgres, postgres("sql"), feature = "databases");
        on!($test, sql_on_mariadb, mariadb("sql"), feature = "databases");
        on!($test, db0_on_postgres, postgres("db0"), feature = "databases");
        on!($test, db0_on_mariadb, mariadb("db0"), feature = "databases");
    };
}

macro_rules! on {
    ($test:ident, $store:ident, $start:ident($($driver:literal)?) $(, $condition:meta)?) => {
        $(#[cfg($condition)])?
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $store() {
            if let Some(store) = interop_peers::Store::$start($($driver)?) {
                super::$test(store).await;
            }
        }
    };
}

mod client;
mod deaths;
#[cfg(feature = "redis")]
mod failovers;
mod load;
#[cfg(any(feature = "redis", feature = "databases"))]
mod outages;
mod program;
