//! The driver `deno-kv` against Deno's own server, and beside unstorage's driver over Deno's own client.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::conformance;
use crate::javascript::Texts;
use cloakroom_drivers::deno_kv::{DenoKv, Options};
use cloakroom_drivers::open;
use cloakroom_storage::{
    Driver, DynDriver, ErrorKind, Item, ItemKey, RemoveOutcome, SetOutcome, When,
};
use futures_util::TryStreamExt as _;
use interop_peers::{DenoKv as Peer, JavaScript, NodeServer, Proxy};
use serde_json::{Map, Value, json};

const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: Option<Duration> = Some(Duration::from_millis(300));
const PATIENCE: Duration = Duration::from_secs(60);

fn options(url: &str) -> Options {
    let mut options = Options::new(url);
    options.open_kv_options.access_token = Some(Peer::TOKEN.to_owned());
    options
}

fn driver(url: &str) -> DenoKv {
    DenoKv::new(&options(url)).unwrap()
}

fn below(url: &str, base: &str) -> DenoKv {
    let mut options = options(url);
    options.base = base.to_owned();
    DenoKv::new(&options).unwrap()
}

fn beside(url: &str, base: &str) -> Option<JavaScript> {
    let client = json!({ "accessToken": Peer::TOKEN });
    JavaScript::open("deno-kv-node", &json!({ "path": url, "base": base, "openKvOptions": client }))
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn put(driver: &dyn Driver, name: &str, value: &'static str, ttl: Option<Duration>) {
    let outcome = driver.set(&key(name), value.into(), When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

async fn get(driver: &dyn Driver, name: &str) -> Option<Item> {
    driver.get(&key(name)).await.unwrap()
}

async fn until_missing(driver: &dyn Driver, name: &str) {
    let begin = Instant::now();
    while get(driver, name).await.is_some() {
        assert!(begin.elapsed() < PATIENCE, "an item outlives its ttl");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The entries of a database that has just started, once it has freed what has expired and this many items are left.
///
/// It answers while it still frees them. After a while they are given back as they are.
async fn entries_left(peer: &Peer, items: usize) -> Option<Vec<Value>> {
    let begin = Instant::now();
    loop {
        let entries = peer.entries()?;
        let left = entries.iter().filter(|entry| !is_deadline(entry)).count();
        if left <= items || begin.elapsed() > PATIENCE {
            return Some(entries);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether this is the second key of an item, `[…, "$"]`.
fn is_deadline(entry: &Value) -> bool {
    entry[0].as_str().unwrap().ends_with("022400")
}

fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deno_kv_obeys_every_rule() {
    let Some(peer) = Peer::start() else { return };
    conformance::run(|| async { Arc::new(below(&peer.url(), "sess")) as DynDriver }).await;
    // What has expired goes when the database starts, and the deadlines a day later.
    peer.restart();
    let entries = entries_left(&peer, 0).await.unwrap_or_default();
    let left: Vec<_> = entries.iter().filter(|entry| !is_deadline(entry)).collect();
    assert_eq!(left, Vec::<&Value>::new(), "something is left over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rust_and_javascript_share_a_database_without_a_base_and_below_one() {
    let Some(peer) = Peer::start() else { return };
    for base in ["", "sess", "app:sess"] {
        let Some(mut theirs) = beside(&peer.url(), base) else { return };
        let ours: DynDriver = Arc::new(below(&peer.url(), base));
        crate::javascript::both_directions(&ours, &mut theirs, Texts::Any).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_values_are_javascripts_to_the_byte() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut theirs) = beside(&peer.url(), "sess") else { return };
    let ours = below(&peer.url(), "sess");
    for value in ["", "hello", "grüße", "汉字", "🧥🧥🧥", &"汉".repeat(64), &"x".repeat(300)]
    {
        theirs.call("setItem", &[json!("a:ö"), json!(value)]);
        let written = peer.entries().unwrap();
        let _ = ours.set(&key("a:ö"), value.to_owned().into(), When::Always, None).await.unwrap();
        assert_eq!(peer.entries().unwrap(), written, "{value:?}");
    }
    theirs.call("setItemRaw", &[json!("a:ö"), json!([255, 0])]);
    assert_eq!(get(&ours, "a:ö").await.unwrap().value, &b"\xff\0"[..]);
    let written = peer.entries().unwrap();
    let _ = ours.set(&key("a:ö"), (&b"\xff\0"[..]).into(), When::Always, None).await.unwrap();
    assert_eq!(peer.entries().unwrap(), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_a_second_key_written_with_the_first() {
    let Some(peer) = Peer::start() else { return };
    let ours = below(&peer.url(), "sess");
    let deadline_of = |entries: &[Value]| {
        assert_eq!(entries.len(), 2, "{entries:?}");
        // ["sess", "a"], and ["sess", "a", "$"].
        assert_eq!(entries[0][0], "027365737300026100");
        assert_eq!(entries[0][1], "FF0F220568656C6C6F");
        assert_eq!(entries[1][0], "027365737300026100022400");
        let deadline = entries[0][3].as_u64().unwrap();
        let bytes = u64::from_str_radix(entries[1][1].as_str().unwrap(), 16).unwrap();
        assert_eq!(bytes.swap_bytes(), deadline);
        assert_eq!(entries[1][3].as_u64(), Some(deadline + 86_400_000), "a day later");
        deadline
    };
    let begin = milliseconds();
    put(&ours, "a", "hello", HOUR).await;
    let Some(entries) = peer.entries() else { return };
    let first = deadline_of(&entries);
    assert!((begin + 3_600_000..=milliseconds() + 3_600_000).contains(&first));
    assert!(ours.touch(&key("a"), HOUR.map(|hour| hour * 2)).await.unwrap());
    assert!(deadline_of(&peer.entries().unwrap()) >= first + 3_600_000);
    assert!(ours.touch(&key("a"), None).await.unwrap());
    let entries = peer.entries().unwrap();
    assert_eq!((entries.len(), &entries[0][3]), (1, &json!(-1)));
    put(&ours, "a", "hello", HOUR).await;
    assert_eq!(ours.remove(&key("a"), When::Always).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(peer.entries().unwrap(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_javascript_writes_has_no_deadline_until_it_is_given_one() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut theirs) = beside(&peer.url(), "") else { return };
    let ours = driver(&peer.url());
    let ttl = async || ours.get_with_ttl(&key("a")).await.unwrap().unwrap().1;
    put(&ours, "a", "ours", HOUR).await;
    assert!(ttl().await.is_some());
    theirs.call("setItem", &[json!("a"), json!("theirs")]);
    assert_eq!(ttl().await, None, "a deadline outlived its value");
    let before = get(&ours, "a").await.unwrap();
    assert!(ours.touch(&key("a"), HOUR).await.unwrap());
    assert!(ttl().await.is_some());
    assert_eq!(theirs.call("getItem", &[json!("a")]), json!("theirs"));
    let when = When::Version(before.version);
    let written = ours.set(&key("a"), "next".into(), when, HOUR).await.unwrap();
    assert!(matches!(written, SetOutcome::Written { .. }), "a touch made a conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_javascripts_that_is_no_text_is_an_error_and_stays() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut theirs) = beside(&peer.url(), "") else { return };
    let ours = driver(&peer.url());
    theirs.call("setItemRaw", &[json!("a"), json!({ "cart": ["hat"] })]);
    let written = peer.entries().unwrap();
    let error = ours.get(&key("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Corrupt, false), "{error}");
    let created = ours.set(&key("a"), "ours".into(), When::Absent, None).await.unwrap();
    assert_eq!(created, SetOutcome::Conflict);
    assert!(ours.touch(&key("a"), HOUR).await.unwrap());
    assert!(ours.touch(&key("a"), None).await.unwrap());
    assert_eq!(peer.entries().unwrap(), written);
    assert_eq!(ours.remove(&key("a"), When::Always).await.unwrap(), RemoveOutcome::Removed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_frees_what_has_expired_by_itself() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    put(&ours, "a", "short", SHORT).await;
    put(&ours, "b", "long", HOUR).await;
    until_missing(&ours, "a").await;
    // It looks for what has expired now and then, and when it starts.
    peer.restart();
    let Some(entries) = entries_left(&peer, 1).await else { return };
    let (deadlines, items): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_deadline(entry));
    assert_eq!((items.len(), deadlines.len()), (1, 2), "{entries:?}");
    assert!(get(&ours, "b").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_tells_the_live_from_the_expired_wherever_their_deadlines_stand() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    // Some stand between an item and its deadline.
    let live = ["a: below", "a:!:deep", "a:b", "b", "c:d"];
    for name in live {
        put(&ours, name, "live", HOUR).await;
    }
    put(&ours, "e", "live", None).await;
    for name in ["a", "a:!", "c"] {
        put(&ours, name, "expired", SHORT).await;
    }
    for name in ["a", "a:!", "c"] {
        until_missing(&ours, name).await;
    }
    let listed = async |prefix: &str| -> Vec<String> {
        let keys: Vec<ItemKey> = ours.keys(prefix).try_collect().await.unwrap();
        keys.iter().map(|key| key.as_str().to_owned()).collect()
    };
    let mut all = listed("").await;
    all.sort();
    assert_eq!(all, ["a: below", "a:!:deep", "a:b", "b", "c:d", "e"]);
    assert_eq!(listed("a:!").await, ["a:!:deep"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_of_several_pages_is_whole() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    for index in 0..450 {
        let ttl = HOUR.filter(|_| index % 3 > 0);
        put(&ours, &format!("item:{index:03}"), "value", ttl).await;
    }
    let mut keys: Vec<ItemKey> = ours.keys("item:").try_collect().await.unwrap();
    keys.sort();
    let expected: Vec<ItemKey> = (0..450).map(|index| key(&format!("item:{index:03}"))).collect();
    assert_eq!(keys, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operation_takes_the_round_trips_that_are_promised() {
    let Some(peer) = Peer::start() else { return };
    let proxy = Proxy::start(peer.port());
    let ours = driver(&format!("http://127.0.0.1:{}", proxy.port()));
    put(&ours, "a", "0", HOUR).await;
    assert_eq!(proxy.round_trips(), 2, "the first one brings a token");
    let trips = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    trips();
    let item = get(&ours, "a").await.unwrap();
    assert_eq!(trips(), 1, "read");
    let when = When::Version(item.version);
    let Ok(SetOutcome::Written { version }) = ours.set(&key("a"), "1".into(), when, HOUR).await
    else {
        panic!("not written")
    };
    assert_eq!(trips(), 1, "write");
    let created = ours.set(&key("b"), "0".into(), When::Absent, HOUR).await.unwrap();
    assert!(matches!(created, SetOutcome::Written { .. }));
    assert_eq!(trips(), 1, "create");
    assert!(ours.touch(&key("a"), HOUR).await.unwrap());
    assert_eq!(trips(), 2, "touch");
    let removed = ours.remove(&key("a"), When::Version(version)).await.unwrap();
    assert_eq!((removed, trips()), (RemoveOutcome::Removed, 3), "removed after a touch");
    assert_eq!(ours.remove(&key("b"), When::Always).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(trips(), 2, "remove");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_option_ttl_is_for_what_has_none() {
    let Some(peer) = Peer::start() else { return };
    let client = json!({ "accessToken": Peer::TOKEN });
    let options = json!({ "path": peer.url(), "ttl": 60, "openKvOptions": client });
    let ours = open("denoKvNode", options.as_object().unwrap()).await.unwrap();
    let ttl = async || ours.get_with_ttl(&key("a")).await.unwrap().unwrap().1.unwrap();
    put(&ours, "a", "value", None).await;
    assert!((50..=60).contains(&ttl().await.as_secs()));
    put(&ours, "a", "value", HOUR).await;
    assert!(ttl().await.as_secs() > 3500);
}

#[tokio::test]
async fn impossible_options_are_named() {
    let client = json!({ "accessToken": "a token" });
    for (options, part) in [
        (json!({}), "option `path`"),
        (json!({ "path": "./kv.db", "openKvOptions": client }), "let `denokv` serve it"),
        (json!({ "path": "ftp://a", "openKvOptions": client }), "option `path`"),
        (json!({ "path": "http://a:b@c", "openKvOptions": client }), "option `path`"),
        (json!({ "path": "http://a", "base": "..", "openKvOptions": client }), "option `base`"),
        (json!({ "path": "http://a", "openKvOptions": { "accessToken": "a\n" } }), "token"),
        (
            json!({ "path": "http://a", "openKvOptions": { "accessToken": "" } }),
            "DENO_KV_ACCESS_TOKEN",
        ),
        (json!({ "paht": "http://a" }), "did you mean `path`?"),
        (
            json!({ "path": "http://a", "openKvOptions": { "accesToken": "a token" } }),
            "option `openKvOptions`: unknown field `accesToken`, expected `accessToken`",
        ),
    ] {
        let options: &Map<String, Value> = options.as_object().unwrap();
        let error = open("deno-kv", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_token_of_the_environment_serves_where_the_options_have_none() {
    let mut child = crate::part_command(module_path!(), "child_without_a_token");
    let is_content = |child: &mut Command| child.output().unwrap().status.success();
    assert!(!is_content(child.env_remove("DENO_KV_ACCESS_TOKEN")));
    assert!(is_content(child.env("DENO_KV_ACCESS_TOKEN", "a token")));
}

#[test]
#[ignore = "a part of `the_token_of_the_environment_serves_where_the_options_have_none`"]
fn child_without_a_token() {
    DenoKv::new(&Options::new("http://localhost:4512")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_and_never_shown() {
    let Some(peer) = Peer::start() else { return };
    let mut options = options(&peer.url());
    options.open_kv_options.access_token = Some("a-wrong-token".to_owned());
    let ours = DenoKv::new(&options).unwrap();
    let error = ours.get(&key("secret-id")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::PermissionDenied, false));
    let shown = format!("{error} {error:?} {ours:?} {options:?}");
    assert!(!shown.contains("a-wrong-token") && !shown.contains("secret-id"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_that_counts_no_more_is_replaced_and_a_database_that_moves_is_followed() {
    let Some(peer) = Peer::start() else { return };
    let arguments = [&*peer.url(), Peer::TOKEN];
    let Some(front) = NodeServer::start("denokv-front", "unstorage", &arguments) else { return };
    let path = format!("{}/databases/connect", front.url());
    let ours = driver(&path);
    for index in 0..10 {
        put(&ours, &format!("item-{index}"), "value", HOUR).await;
        assert!(ours.touch(&key("item-0"), HOUR).await.unwrap());
    }
    let keys: Vec<ItemKey> = ours.keys("item-").try_collect().await.unwrap();
    assert_eq!(keys.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_place_of_another_items_deadline_is_no_key() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    let error = ours.set(&key("a:$"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!((error.kind(), error.is_unapplied()), (ErrorKind::InvalidKey, true));
    put(&ours, "a$", "x", HOUR).await;
    assert_eq!(get(&ours, "a$").await.unwrap().value, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_database_is_unavailable_at_once_and_used_again_when_it_is_back() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    put(&ours, "a", "before", HOUR).await;
    peer.stop();
    let begin = Instant::now();
    let error = ours.get(&key("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
    let error = ours.set(&key("a"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!((error.kind(), error.is_unapplied()), (ErrorKind::Unavailable, true), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    peer.restart();
    assert_eq!(get(&ours, "a").await.unwrap().value, "before");
    put(&ours, "a", "after", HOUR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_survives_the_death_of_the_server() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer.url());
    for index in 0..50 {
        put(&ours, &format!("item-{index}"), "value", HOUR).await;
    }
    peer.kill();
    peer.restart();
    let keys: Vec<ItemKey> = ours.keys("item-").try_collect().await.unwrap();
    assert_eq!(keys.len(), 50);
    assert_eq!(get(&ours, "item-49").await.unwrap().value, "value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_database_is_not_taken_for_one() {
    let Some(peer) = Peer::start() else { return };
    let error = driver(&format!("{}/nowhere", peer.url())).get(&key("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Other, false), "{error}");
}
