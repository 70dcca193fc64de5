//! The shop on each store: under load, while the store or the shop itself goes away, nothing that was acknowledged is lost; and
//! whoever is logged out at one server is logged out at all.

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
            on!($test, sql_on_sqlite, sqlite("sql"));
            on!($test, db0_on_sqlite, sqlite("db0"));
            on_groups!($test);
            on_servers!($test);
        }
    };
}

macro_rules! on_groups {
    ($test:ident) => {
        on!($test, redis_cluster, redis_cluster());
        on!($test, redis_sentinel, redis_sentinel());
    };
}

macro_rules! on_servers {
    ($test:ident) => {
        on!($test, redis, redis());
        on!($test, valkey, valkey());
        on!($test, sql_on_postgres, postgres("sql"));
        on!($test, sql_on_mariadb, mariadb("sql"));
        on!($test, db0_on_postgres, postgres("db0"));
        on!($test, db0_on_mariadb, mariadb("db0"));
    };
}

macro_rules! on {
    ($test:ident, $store:ident, $start:ident($($driver:literal)?)) => {
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
mod devices;
mod failovers;
mod load;
mod outages;
mod program;
