//! The `overlay` driver.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::conformance;
use crate::javascript::Texts;
use bytes::Bytes;
use cloakroom_drivers::memory::Memory;
use cloakroom_drivers::open;
use cloakroom_drivers::overlay::Overlay;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DynDriver, ErrorKind, Item, ItemKey, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};
use futures_util::TryStreamExt as _;
use interop_peers::JavaScript;
use serde_json::{Value, json};
use tempfile::TempDir;

const REMOVED: &str = "__OVERLAY_REMOVED__";
const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// A first layer, one below it with an item `id` of the value `below`, and both together.
struct Layers {
    first: Arc<Memory>,
    lower: Arc<Memory>,
    overlay: Overlay,
}

async fn layers() -> Layers {
    let (first, lower) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let overlay = Overlay::new(first.clone(), [lower.clone() as DynDriver]);
    write(&*lower, "id", "below").await;
    Layers { first, lower, overlay }
}

fn open_memories() -> Overlay {
    Overlay::new(Arc::new(Memory::new()), [Arc::new(Memory::new()) as DynDriver])
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn read(driver: &dyn Driver, name: &str) -> Option<String> {
    let item = driver.get(&key(name)).await.unwrap()?;
    Some(String::from_utf8(item.value.to_vec()).unwrap())
}

async fn write(driver: &dyn Driver, name: &str, text: &'static str) {
    written(driver.set(&key(name), text.into(), When::Always, None).await.unwrap());
}

fn written(outcome: SetOutcome) {
    assert!(matches!(outcome, SetOutcome::Written { .. }), "{outcome:?}");
}

async fn version(driver: &dyn Driver, name: &str) -> When {
    When::Version(driver.get(&key(name)).await.unwrap().unwrap().version)
}

async fn keys(driver: &dyn Driver, prefix: &str) -> Vec<String> {
    let keys: Vec<ItemKey> = driver.keys(prefix).try_collect().await.unwrap();
    let mut keys: Vec<_> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    keys.sort();
    keys
}

/// The options of two folders of files.
fn folders(folder: &Path) -> Value {
    let layer = |name: &str| {
        fs::create_dir_all(folder.join(name)).unwrap();
        json!({ "driver": "fs-lite", "options": { "base": folder.join(name) } })
    };
    json!({ "layers": [layer("first"), layer("lower")] })
}

async fn open_overlay(options: &Value) -> DynDriver {
    open("overlay", options.as_object().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_above_memory_obeys_every_rule() {
    // The layers are gone with a restart.
    let overlay = Mutex::new(Arc::new(layers().await.overlay) as DynDriver);
    let opened = async || overlay.lock().unwrap().clone();
    let restart = async || *overlay.lock().unwrap() = Arc::new(open_memories());
    conformance::run_with_restart(opened, restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_above_files_obey_every_rule() {
    let folder = TempDir::new().unwrap();
    let options = folders(folder.path());
    conformance::run_with_restart(|| open_overlay(&options), async || {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_written_above_files_obey_every_rule() {
    let folder = TempDir::new().unwrap();
    let mut options = folders(folder.path());
    options["layers"][0]["options"]["readOnly"] = json!(true);
    conformance::run(|| open_overlay(&options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_driver_and_ours_share_their_layers() {
    let folder = TempDir::new().unwrap();
    let options = folders(folder.path());
    let Some(mut theirs) = JavaScript::open("overlay", &options) else { return };
    crate::javascript::both_directions(&open_overlay(&options).await, &mut theirs, Texts::Any)
        .await;
}

#[tokio::test]
async fn what_one_side_removes_or_covers_is_so_for_the_other() {
    let folder = TempDir::new().unwrap();
    let options = folders(folder.path());
    let Some(mut theirs) = JavaScript::open("overlay", &options) else { return };
    let ours = open_overlay(&options).await;
    for name in ["ours", "theirs", "covered", "left"] {
        fs::write(folder.path().join("lower").join(name), "below").unwrap();
    }
    ours.remove(&key("ours"), When::Always).await.unwrap();
    theirs.call("removeItem", &[json!("theirs")]);
    for name in ["ours", "theirs"] {
        let left = fs::read_to_string(folder.path().join("first").join(name)).unwrap();
        assert_eq!(left, REMOVED, "{name}");
        assert_eq!(read(&*ours, name).await, None, "{name}");
        assert_eq!(theirs.call("getItem", &[json!(name)]), Value::Null, "{name}");
        assert_eq!(theirs.call("hasItem", &[json!(name)]), json!(false), "{name}");
    }
    let covering = ours.set(&key("covered"), "above".into(), When::Always, MINUTE).await.unwrap();
    written(covering);
    assert_eq!(theirs.call("getItem", &[json!("covered")]), json!("above"));
    assert_eq!(keys(&*ours, "").await, ["covered", "left"]);
    let mut listed: Vec<String> = serde_json::from_value(theirs.call("getKeys", &[])).unwrap();
    listed.sort();
    assert_eq!(listed, ["covered", "left"]);
}

#[tokio::test]
async fn the_lower_layers_are_never_written_to() {
    let Layers { lower, overlay, .. } = layers().await;
    let before = lower.get(&key("id")).await.unwrap();
    write(&overlay, "id", "above").await;
    assert_eq!(read(&overlay, "id").await.as_deref(), Some("above"));
    overlay.touch(&key("id"), MINUTE).await.unwrap();
    overlay.remove(&key("id"), When::Always).await.unwrap();
    assert_eq!(read(&overlay, "id").await, None);
    assert_eq!(lower.get(&key("id")).await.unwrap(), before);
}

#[tokio::test]
async fn a_removal_leaves_a_trace_only_where_it_covers_something() {
    let Layers { first, overlay, .. } = layers().await;
    write(&overlay, "new", "above").await;
    for (name, left) in [("new", None), ("id", Some(REMOVED))] {
        let removed = overlay.remove(&key(name), When::Always).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Removed, "{name}");
        assert_eq!(read(&*first, name).await.as_deref(), left, "{name}");
        let again = overlay.remove(&key(name), When::Always).await.unwrap();
        assert_eq!(again, RemoveOutcome::Missing, "{name}");
    }
    assert_eq!(keys(&overlay, "").await, [""; 0]);
}

#[tokio::test]
async fn an_item_below_is_changed_and_removed_at_its_version() {
    let Layers { first, lower, overlay } = layers().await;
    let below = version(&overlay, "id").await;
    let absent = overlay.set(&key("id"), "new".into(), When::Absent, None).await.unwrap();
    assert_eq!(absent, SetOutcome::Conflict, "an item below is there");

    // One of two who saw it gets through.
    written(overlay.set(&key("id"), "one".into(), below.clone(), None).await.unwrap());
    let late = overlay.set(&key("id"), "two".into(), below.clone(), None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    let late = overlay.remove(&key("id"), below.clone()).await.unwrap();
    assert_eq!(late, RemoveOutcome::Conflict);

    first.remove(&key("id"), When::Always).await.unwrap();
    write(&*lower, "id", "changed").await;
    let late = overlay.set(&key("id"), "two".into(), below.clone(), None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict, "the layer below was changed");
    let below = version(&overlay, "id").await;
    let removed = overlay.remove(&key("id"), below.clone()).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    assert_eq!(overlay.remove(&key("id"), below.clone()).await.unwrap(), RemoveOutcome::Missing);
    let late = overlay.set(&key("id"), "late".into(), below, None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict, "a removed item came back");
}

#[tokio::test]
async fn a_removed_item_can_be_created_again_once() {
    let Layers { first, overlay, .. } = layers().await;
    overlay.remove(&key("id"), When::Always).await.unwrap();
    let id = key("id");
    let create = || overlay.set(&id, "new".into(), When::Absent, None);
    written(create().await.unwrap());
    assert_eq!(create().await.unwrap(), SetOutcome::Conflict);
    assert_eq!(read(&*first, "id").await.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn what_expired_above_does_not_come_back_from_below() {
    let Layers { first, overlay, .. } = layers().await;
    let write = When::Always;
    written(overlay.set(&key("id"), "above".into(), write, MINUTE).await.unwrap());
    let (_, ttl) = overlay.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!(ttl, MINUTE);
    let loaded = version(&overlay, "id").await;

    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(read(&*first, "id").await, None, "the first layer's own has expired");
    assert_eq!(read(&overlay, "id").await, None);
    assert_eq!(keys(&overlay, "").await, [""; 0]);
    assert!(!overlay.touch(&key("id"), MINUTE).await.unwrap());
    assert_eq!(overlay.remove(&key("id"), When::Always).await.unwrap(), RemoveOutcome::Missing);
    assert_eq!(overlay.remove(&key("id"), loaded.clone()).await.unwrap(), RemoveOutcome::Missing);
    let late = overlay.set(&key("id"), "late".into(), loaded, MINUTE).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    written(overlay.set(&key("id"), "new".into(), When::Absent, MINUTE).await.unwrap());
    assert_eq!(read(&overlay, "id").await.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn an_item_below_gets_a_deadline_by_a_copy_and_keeps_its_version() {
    let Layers { first, overlay, .. } = layers().await;
    let below = version(&overlay, "id").await;
    assert!(overlay.touch(&key("id"), None).await.unwrap());
    assert_eq!(read(&*first, "id").await, None, "there was no deadline to take away");
    assert!(overlay.touch(&key("id"), MINUTE).await.unwrap());
    assert_eq!(overlay.get_with_ttl(&key("id")).await.unwrap().unwrap().1, MINUTE);
    written(overlay.set(&key("id"), "above".into(), below, MINUTE).await.unwrap());
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(read(&overlay, "id").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_got_its_deadline_by_a_touch_covers_what_is_below_too() {
    let Layers { overlay, .. } = layers().await;
    write(&overlay, "id", "above").await;
    assert!(overlay.touch(&key("id"), MINUTE).await.unwrap());
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(read(&overlay, "id").await, None);
}

#[tokio::test]
async fn what_no_layer_has_below_costs_no_mark() {
    let Layers { first, overlay, .. } = layers().await;
    written(overlay.set(&key("new"), "above".into(), When::Always, MINUTE).await.unwrap());
    assert_eq!(keys(&*first, "").await, ["new"]);
}

#[tokio::test]
async fn keys_of_all_layers_are_listed_once() {
    let Layers { lower, overlay, .. } = layers().await;
    for name in ["shop:a", "shop:b", "shop:c"] {
        write(&*lower, name, "below").await;
    }
    for name in ["shop:b", "shop:d"] {
        write(&overlay, name, "above").await;
    }
    overlay.remove(&key("shop:c"), When::Always).await.unwrap();
    assert_eq!(keys(&overlay, "shop:").await, ["shop:a", "shop:b", "shop:d"]);
    assert_eq!(keys(&overlay, "").await, ["id", "shop:a", "shop:b", "shop:d"]);
}

#[tokio::test]
async fn the_word_for_what_was_removed_is_no_value() {
    let Layers { overlay, .. } = layers().await;
    let error = overlay.set(&key("id"), REMOVED.into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(read(&overlay, "id").await.as_deref(), Some("below"));
}

#[tokio::test]
async fn a_version_of_an_earlier_overlay_is_none_of_a_new_one() {
    let (earlier, later) = (open_memories(), open_memories());
    for (overlay, text) in [(&earlier, "first"), (&later, "another's")] {
        written(overlay.set(&key("id"), text.into(), When::Absent, None).await.unwrap());
    }
    let old = version(&earlier, "id").await;
    let late = later.set(&key("id"), "old handle's".into(), old, None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
}

/// A first layer that answers so many calls and no more, until it is told to.
#[derive(Debug)]
struct Hanging {
    memory: Arc<Memory>,
    left: AtomicUsize,
}

impl Hanging {
    async fn wait(&self) {
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait::async_trait]
impl Driver for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.wait().await;
        self.memory.get(key).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.wait().await;
        self.memory.get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.wait().await;
        self.memory.set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.wait().await;
        self.memory.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.wait().await;
        self.memory.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.memory.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.memory.sweep(budget).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_ends_half_way_leaves_what_was_there_or_itself_with_its_deadline() {
    #[derive(Clone, Copy, Debug)]
    enum Call {
        Update,
        Overwrite,
        Touch,
    }
    for call in [Call::Update, Call::Overwrite, Call::Touch] {
        for covered in [false, true] {
            for calls in 0..12 {
                let (memory, lower) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
                write(&*lower, "id", "below").await;
                if covered {
                    write(&*memory, "id", "below").await;
                }
                let left = AtomicUsize::new(usize::MAX);
                let first = Arc::new(Hanging { memory, left });
                let overlay = Overlay::new(first.clone(), [lower as DynDriver]);
                let seen = version(&overlay, "id").await;
                first.left.store(calls, Ordering::SeqCst);
                let id = key("id");
                let writing = async {
                    match call {
                        Call::Update => drop(overlay.set(&id, "new".into(), seen, MINUTE).await),
                        Call::Overwrite => {
                            drop(overlay.set(&id, "new".into(), When::Always, MINUTE).await);
                        }
                        Call::Touch => drop(overlay.touch(&id, MINUTE).await),
                    }
                };
                _ = tokio::time::timeout(Duration::from_secs(1), writing).await;
                first.left.store(usize::MAX, Ordering::SeqCst);

                let what = format!("{call:?} after {calls} calls, covered: {covered}");
                let (item, ttl) = overlay.get_with_ttl(&id).await.unwrap().expect(&what);
                assert!(item.value == "below" || ttl.is_some(), "{what}: it outlives its session");
                tokio::time::advance(Duration::from_secs(61)).await;
                // Whoever did not write is not ended, and whoever did ends.
                let after = read(&overlay, "id").await;
                assert_eq!(after.as_deref(), ttl.is_none().then_some("below"), "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_as_long_as_keys_may_be_are_covered_too() {
    let Layers { lower, overlay, .. } = layers().await;
    let long = ["x".repeat(1015), "x".repeat(1016), "x".repeat(1024), "y/".repeat(512) + "z"];
    let long = long.map(|name| name[..name.len().min(1024)].trim_end_matches('/').to_owned());
    for name in &long {
        write(&*lower, name, "below").await;
        assert_eq!(read(&overlay, name).await.as_deref(), Some("below"), "{}", name.len());
        written(overlay.set(&key(name), "above".into(), When::Always, MINUTE).await.unwrap());
        assert_eq!(read(&overlay, name).await.as_deref(), Some("above"), "{}", name.len());
    }
    assert_eq!(keys(&overlay, "").await.len(), long.len() + 1);
    tokio::time::advance(Duration::from_secs(61)).await;
    for name in &long {
        assert_eq!(read(&overlay, name).await, None, "{}", name.len());
    }
    assert_eq!(keys(&overlay, "").await, ["id"]);
}

#[tokio::test]
async fn a_part_as_long_as_a_files_name_may_be_is_read_from_below() {
    let folder = TempDir::new().unwrap();
    let overlay = open_overlay(&folders(folder.path())).await;
    let name = "x".repeat(250);
    fs::write(folder.path().join("lower").join(&name), "below").unwrap();
    assert_eq!(read(&*overlay, &name).await.as_deref(), Some("below"));
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    let layer = json!({ "driver": "memory" });
    for (options, kind, part) in [
        (json!({}), ErrorKind::InvalidOptions, "missing field `layers`"),
        (json!({ "layers": [] }), ErrorKind::InvalidOptions, "there must be one at least"),
        (json!({ "layers": ["memory"] }), ErrorKind::InvalidOptions, "option `layers`"),
        (
            json!({ "layers": [layer, { "driver": "memory", "base": "x" }] }),
            ErrorKind::InvalidOptions,
            "unknown field `base`",
        ),
        (
            json!({ "layers": [layer, { "driver": "memorie" }] }),
            ErrorKind::UnknownDriver,
            "number 1: there is no driver `memorie`; did you mean `memory`?",
        ),
        (
            json!({ "layers": [layer, { "driver": "memory", "options": { "base": "x" } }] }),
            ErrorKind::InvalidOptions,
            "no such option `base`",
        ),
    ] {
        let error = open("overlay", options.as_object().unwrap()).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}
