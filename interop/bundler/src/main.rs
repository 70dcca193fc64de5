//! `cargo run -p interop-bundler PACKAGE [--release]` builds a Worker that is written in Rust into `target/worker/PACKAGE`:
//! the wasm module `index_bg.wasm`, what wasm-bindgen makes of it, `index.js`, and the Worker's entry, `worker.js`.
//!
//! Cloudflare's `worker-build` does the same for a deployment, and makes it smaller, with tools that it downloads. This
//! needs nothing but cargo.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

const ENTRY: &str = include_str!("worker.js");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let built = match arguments[..] {
        [package] if !package.starts_with('-') => build(package, "dev", "debug"),
        [package, "--release"] => build(package, "release", "release"),
        _ => {
            eprintln!("usage: interop-bundler PACKAGE [--release]");
            return ExitCode::from(2);
        }
    };
    match built {
        Ok(folder) => {
            println!("{}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("interop-bundler: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(package: &str, profile: &str, profile_folder: &str) -> Result<PathBuf, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--profile", profile, "--target", TARGET, "--package", package];
    let status = Command::new(cargo).args(arguments).current_dir(&root).status()?;
    if !status.success() {
        return Err(format!("{package} cannot be built for {TARGET}: {status}").into());
    }
    let module = target.join(TARGET).join(profile_folder).join(package.replace('-', "_"));
    let folder = target.join("worker").join(package);
    Bindgen::new()
        .input_path(module.with_extension("wasm"))
        .web(true)?
        .typescript(false)
        .out_name("index")
        .generate(&folder)?;
    fs::write(folder.join("worker.js"), ENTRY)?;
    Ok(folder)
}
