//! Two stores, and the program between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cloakroom_storage::{Bytes, Driver as _, DynDriver, ItemKey, When};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, Served, Site, program};

/// A folder with the configurations of two stores.
pub(crate) struct Pair {
    folder: TempDir,
}

impl Pair {
    pub(crate) fn of(from: &Value, to: &Value) -> Pair {
        let pair = Pair { folder: tempfile::tempdir().unwrap() };
        pair.write(from, to);
        pair
    }

    pub(crate) fn write(&self, from: &Value, to: &Value) {
        fs::write(self.path("from.json"), from.to_string()).unwrap();
        fs::write(self.path("to.json"), to.to_string()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `migrate` with a state, or without one.
    pub(crate) fn command(&self, state: bool, arguments: &[&str]) -> Command {
        let mut command = program(&["migrate", "--json"]);
        command.arg("--from").arg(self.path("from.json")).arg("--to").arg(self.path("to.json"));
        if state {
            command.arg("--state").arg(self.path("state"));
        }
        command.args(arguments).stdin(Stdio::null());
        command
    }

    pub(crate) fn migrate(&self, state: bool) -> Ran {
        ran(self.command(state, &[]))
    }

    /// The result of a migration that has done all.
    pub(crate) fn migrated(&self, state: bool) -> Value {
        let ran = self.migrate(state);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        ran.json().remove(0)
    }
}

pub(crate) fn ran(mut command: Command) -> Ran {
    command.output().unwrap().into()
}

/// Tells a process to stop, and waits for what it says.
pub(crate) fn stopped(child: Child) -> Ran {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    child.wait_with_output().unwrap().into()
}

/// The store as it is, without what is configured around it.
pub(crate) async fn driver(config: &Value) -> DynDriver {
    let (name, options) =
        (config["driver"].as_str().unwrap(), config["options"].as_object().unwrap());
    cloakroom_drivers::open(name, options).await.unwrap()
}

/// All that a store has: the bytes and, in seconds, what is left of their time. Without what a migration that was killed has put
/// there to tell two stores apart, for a minute.
pub(crate) async fn contents(driver: &DynDriver) -> BTreeMap<String, (Bytes, Option<u64>)> {
    let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    let mut contents = BTreeMap::new();
    for key in keys.into_iter().filter(|key| !key.as_str().contains("-migration-")) {
        if let Some((item, ttl)) = driver.get_with_ttl(&key).await.unwrap() {
            contents.insert(key.as_str().to_owned(), (item.value, ttl.map(|ttl| ttl.as_secs())));
        }
    }
    contents
}

/// Whether two stores have the same, and none a longer deadline than the first.
pub(crate) async fn assert_alike(from: &DynDriver, to: &DynDriver, why: &str) {
    let (from, to) = (contents(from).await, contents(to).await);
    let without = |one: &BTreeMap<String, _>, other: &BTreeMap<String, _>| {
        one.keys().filter(|key| !other.contains_key(*key)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(without(&from, &to), Vec::<String>::new(), "missing: {why}");
    assert_eq!(without(&to, &from), Vec::<String>::new(), "too much: {why}");
    for ((bytes, ends), (there, ends_there)) in from.values().zip(to.values()) {
        assert_eq!(bytes, there, "{why}");
        assert_eq!(ends.is_some(), ends_there.is_some(), "{why}");
        if let (Some(ends), Some(ends_there)) = (ends, ends_there) {
            // The second was read later, and stores count in seconds at the worst.
            assert!(
                *ends_there <= ends + 2 && ends - 10 <= *ends_there,
                "{why}: {ends} {ends_there}"
            );
        }
    }
}

/// A key of a session, the same for the same number.
pub(crate) fn key(number: usize) -> ItemKey {
    ItemKey::new(&format!("0e7d2a53-6d0f-4a52-9d0e-{number:012x}")).unwrap()
}

pub(crate) async fn put(driver: &DynDriver, key: &ItemKey, value: &str, seconds: Option<u64>) {
    let (value, ttl) = (Bytes::from(value.to_owned()), seconds.map(Duration::from_secs));
    _ = driver.set(key, value, When::Always, ttl).await.unwrap();
}

pub(crate) async fn text(driver: &DynDriver, key: &ItemKey) -> Option<String> {
    let item = driver.get(key).await.unwrap()?;
    Some(String::from_utf8(item.value.to_vec()).unwrap())
}

/// What is left of an item's time, in seconds.
pub(crate) async fn left(driver: &DynDriver, key: &ItemKey) -> u64 {
    driver.get_with_ttl(key).await.unwrap().unwrap().1.unwrap().as_secs()
}

/// A site on files, with this configured besides.
pub(crate) fn on_files(with: Value) -> Site {
    let mut site = Site::on_files();
    for (key, value) in with.as_object().unwrap() {
        site.config[key] = value.clone();
    }
    site
}

pub(crate) fn plain() -> Site {
    on_files(json!({}))
}

/// Tells `cloakroom serve` to stop, which finishes what it answers; the address that it had.
pub(crate) fn stopped_server(mut served: Served) -> String {
    let address = served.url.trim_start_matches("http://").to_owned();
    let told =
        Command::new("kill").args(["-TERM", &served.server.id().to_string()]).status().unwrap();
    assert!(told.success() && served.server.wait().unwrap().success());
    address
}
