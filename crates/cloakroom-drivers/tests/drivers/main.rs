//! The tests of all drivers, as one program: one linked with the clients of every store takes as long to build as any other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test fails by panicking.

#[cfg(feature = "azure-cosmos")]
mod azure_cosmos;
#[cfg(feature = "azure-storage-blob")]
mod azure_storage_blob;
#[cfg(feature = "azure-storage-table")]
mod azure_storage_table;
mod azure_support;
#[cfg(feature = "cloudflare-kv-binding")]
mod cloudflare_kv_binding;
#[cfg(feature = "cloudflare-kv-http")]
mod cloudflare_kv_http;
#[cfg(feature = "cloudflare-r2-binding")]
mod cloudflare_r2_binding;
mod conformance;
#[cfg(all(feature = "dynamodb", feature = "gcs", feature = "s3"))]
mod credentials;
#[cfg(all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod db0;
#[cfg(feature = "deno-kv")]
mod deno_kv;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(all(feature = "fs-lite", unix))]
mod fs_lite;
#[cfg(all(feature = "fs-lite", target_os = "linux"))]
mod fs_lite_abilities;
#[cfg(all(feature = "fs-lite", unix))]
mod fs_lite_deadlines;
#[cfg(all(feature = "fs-lite", target_os = "linux"))]
mod fs_lite_failures;
#[cfg(all(feature = "fs-lite", unix))]
mod fs_lite_processes;
#[cfg(all(feature = "fs-lite", unix))]
mod fs_lite_sweep;
#[cfg(all(
    feature = "azure-cosmos",
    feature = "azure-storage-blob",
    feature = "azure-storage-table",
    feature = "cloudflare-kv-http",
    feature = "dynamodb",
    feature = "etcd",
    feature = "gcs",
    feature = "netlify-blobs",
    feature = "s3"
))]
mod gateway;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http")]
mod http;
mod http_support;
mod javascript;
#[cfg(feature = "lru-cache")]
mod lru_cache;
#[cfg(feature = "memcached")]
mod memcached;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "mongodb")]
mod mongodb_failures;
#[cfg(feature = "mongodb")]
mod mongodb_support;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "netlify-blobs")]
mod netlify_blobs;
mod network_support;
#[cfg(feature = "null")]
mod null;
#[cfg(all(feature = "memory", feature = "fs-lite"))]
mod open;
#[cfg(all(feature = "overlay", feature = "memory", feature = "fs-lite"))]
mod overlay;
#[cfg(feature = "planetscale")]
mod planetscale;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_cluster;
#[cfg(feature = "redis")]
mod redis_near_cache;
#[cfg(feature = "redis")]
mod redis_options;
#[cfg(feature = "redis")]
mod redis_outages;
#[cfg(feature = "redis")]
mod redis_sentinel;
#[cfg(feature = "redis")]
mod redis_support;
#[cfg(feature = "redis")]
mod redis_swap;
#[cfg(feature = "s3")]
mod s3;
#[cfg(all(feature = "sql", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql;
#[cfg(all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql_costs;
#[cfg(all(feature = "sql", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql_failures;
#[cfg(all(
    feature = "db0",
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "sqlx-0-9"
))]
mod sql_lent;
#[cfg(all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql_pooler;
#[cfg(all(feature = "sql", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql_processes;
#[cfg(all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sql_settings;
#[cfg(any(
    all(
        feature = "db0",
        feature = "postgres",
        feature = "mysql",
        feature = "sqlite",
        feature = "sqlx-0-9"
    ),
    all(feature = "db0", feature = "postgres", feature = "mysql", feature = "sqlite"),
    all(feature = "sql", feature = "postgres", feature = "mysql", feature = "sqlite")
))]
mod sql_support;
mod stand_in;
#[cfg(feature = "upstash")]
mod upstash;
#[cfg(feature = "vercel-kv")]
mod vercel_kv;

use std::process::Command;

/// The name of a test in this module, by which another one runs it in a process of its own.
#[allow(dead_code)] // Only some drivers have such tests.
fn part(module: &str, name: &str) -> String {
    match module.split_once("::") {
        Some((_, module)) => format!("{module}::{name}"),
        None => name.to_owned(),
    }
}

/// A test of this module, to be run in a process of its own.
#[allow(dead_code)] // As above.
fn part_command(module: &str, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &part(module, name), "--ignored", "--nocapture"]);
    command
}

/// Runs such a test, which has to pass.
#[allow(dead_code)] // As above.
#[track_caller]
fn run_part(command: &mut Command) {
    let output = command.output().unwrap();
    let [said, shown] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success() && said.contains("1 passed"), "{said} {shown}");
}
