//! Workers of ours in workerd, Cloudflare's own runtime.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::node::{node_with, script};
use crate::program::missing;

const TARGET: &str = "wasm32-unknown-unknown";

/// Runs the conformance suite on a driver with these options, inside of a Worker (`interop/worker`) that has the
/// bindings `STORAGE` and `BUCKET`, and answers how many rules hold.
///
/// # Panics
///
/// If a rule is broken, or the Worker cannot be built.
#[must_use]
pub fn conformance_in_worker(driver: &str, options: &Value) -> Option<usize> {
    let node = node_with("miniflare")?;
    // Once for all tests of this process: nobody may read the folder while another one writes it.
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| build("interop-worker")).as_ref()?;
    let output = Command::new(node)
        .arg(script("workerd"))
        .arg(folder)
        .args([format!("/conformance/{driver}"), options.to_string()])
        .stderr(Stdio::piped())
        .output()
        .expect("Node.js starts");
    let answer = String::from_utf8_lossy(&output.stdout);
    let console = String::from_utf8_lossy(&output.stderr);
    eprintln!("{console}");
    assert!(output.status.success(), "{answer}");
    Some(answer.parse().expect("the Worker answers with a number"))
}

/// Builds a Worker of this workspace, unless somebody has, and gives its folder.
fn build(package: &str) -> Option<PathBuf> {
    if let Some(workers) = std::env::var_os("CLOAKROOM_WORKERS") {
        return Some(Path::new(&workers).join(package));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .expect("rustc starts");
    if !Path::new(String::from_utf8_lossy(&libraries.stdout).trim()).is_dir() {
        return missing(TARGET, &format!("rustup target add {TARGET}"));
    }
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "interop-bundler", package])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{package} is not built: {}", output.status);
    Some(String::from_utf8_lossy(&output.stdout).trim().into())
}
