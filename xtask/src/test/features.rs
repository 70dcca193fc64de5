//! What is built alone: each crate without its optional parts, and each of those parts without the others.

use std::path::Path;

use super::patient_cargo;
use crate::command::execute;
use crate::{peers, tidy};

/// The crate that has the drivers.
const DRIVERS: &str = "cloakroom-drivers";

/// Each crate is clean without its optional parts, the session with each of its own, each framework, driver and database
/// alone; and the fuzz targets build.
pub(super) fn check(root: &Path) -> Result<(), String> {
    let lint = |arguments: &[&str]| {
        let denied = ["--", "-D", "warnings"];
        execute(&mut patient_cargo(root, &[&["clippy", "--quiet"], arguments, &denied].concat()))
    };
    for package in [
        "serde_devalue",
        "cloakroom-storage",
        DRIVERS,
        "cloakroom-session",
        "cloakroom-tower",
        "cloakroom",
        "cloakroom-cli",
    ] {
        lint(&["--package", package, "--no-default-features"])?;
    }
    // As whoever works on one of them alone builds its tests.
    for package in ["cloakroom-storage", "cloakroom-session", "cloakroom"] {
        lint(&["--package", package, "--tests"])?;
    }
    for feature in ["astro-config", "axum", "encryption", "hash-ids", "metrics", "testing"] {
        lint(&["--package", "cloakroom-session", "--features", feature])?;
    }
    for feature in ["encryption", "hash-ids"] {
        lint(&["--package", "cloakroom-storage", "--features", feature])?;
    }
    for framework in ["axum", "actions", "axum,actions", "actix-web", "actix-web,actions", "salvo"]
    {
        lint(&["--package", "cloakroom", "--no-default-features", "--features", framework])?;
    }
    for driver in tidy::driver_features(root)? {
        lint(&["--package", DRIVERS, "--no-default-features", "--features", &driver])?;
    }
    for database in ["mysql", "postgres", "sqlite"] {
        let features = format!("db0,{database}");
        lint(&["--package", DRIVERS, "--no-default-features", "--features", &features])?;
    }
    execute(&mut patient_cargo(root, &["check", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]))
}

/// What runs inside of a Worker is as clean there as it is here.
pub(super) fn wasm(root: &Path) -> Result<(), String> {
    let features =
        "axum,actions,derive,memory,lru-cache,null,cloudflare-kv-binding,cloudflare-r2-binding";
    let target = ["--target", peers::WASM];
    let lint = |arguments: &[&str]| {
        let clippy = ["clippy", "--quiet"];
        let denied = ["--", "-D", "warnings"];
        execute(&mut patient_cargo(root, &[&clippy, &target[..], arguments, &denied].concat()))
    };
    for package in [DRIVERS, "cloakroom"] {
        lint(&["--package", package, "--no-default-features"])?;
    }
    for driver in ["cloudflare-kv-binding", "cloudflare-r2-binding"] {
        lint(&["--package", DRIVERS, "--no-default-features", "--features", driver])?;
    }
    lint(&["--package", "cloakroom", "--no-default-features", "--features", features])?;
    // Nothing can be opened there; but it is the system at hand that is no Unix, as Windows is none.
    lint(&["--package", DRIVERS, "--no-default-features", "--features", "fs-lite"])?;
    lint(&["--package", "example-worker", "--package", "interop-worker"])
}
