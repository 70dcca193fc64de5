//! What stands between the driver `http` and the server, and answers for it or changes what it says.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cloakroom_drivers::open_with_limits;
use cloakroom_storage::{
    DynDriver, Error, ErrorKind, ItemKey, Limits, RemoveOutcome, SetOutcome, When,
};
use interop_peers::NodeServer;
use serde_json::{Value, json};

use crate::support::Server;

/// What a gateway answers itself, whatever it is asked, or to these methods alone.
#[derive(Clone)]
struct Page {
    methods: &'static [&'static str],
    answer: &'static str,
}

/// A gateway before a server. Each request has a connection of its own.
#[derive(Clone)]
struct Gateway(Arc<Mutex<State>>);

struct State {
    port: u16,
    server: u16,
    page: Option<Page>,
    /// Changes the head of an answer.
    edit: fn(String) -> String,
}

impl Gateway {
    fn start(server: u16) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { port, server, page: None, edit: |head| head };
        let gateway = Gateway(Arc::new(Mutex::new(state)));
        let serving = gateway.clone();
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let gateway = serving.clone();
                thread::spawn(move || gateway.pass(client));
            }
        });
        gateway
    }

    fn shows(&self, methods: &'static [&'static str], answer: &'static str) {
        self.0.lock().unwrap().page = Some(Page { methods, answer });
    }

    fn passes_on(&self) {
        self.0.lock().unwrap().page = None;
    }

    fn leads_to(&self, server: u16) {
        self.0.lock().unwrap().server = server;
    }

    fn edits(&self, edit: fn(String) -> String) {
        self.0.lock().unwrap().edit = edit;
    }

    fn options(&self) -> Value {
        json!({ "base": format!("http://127.0.0.1:{}", self.0.lock().unwrap().port) })
    }

    /// Nobody minds what becomes of a connection that breaks.
    fn pass(&self, mut client: TcpStream) -> Option<()> {
        let (head, body) = request(&mut client)?;
        let method = head.split(' ').next()?.to_owned();
        let (server, page, edit) = {
            let state = self.0.lock().unwrap();
            (state.server, state.page.clone(), state.edit)
        };
        let shown = page.filter(|page| page.methods.is_empty() || page.methods.contains(&&*method));
        if let Some(Page { answer, .. }) = shown {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
            let length = body.len();
            let body = if method == "HEAD" { "" } else { body };
            let rest = format!("content-length: {length}\r\nconnection: close\r\n\r\n{body}");
            client.write_all(format!("HTTP/1.1 {head}\r\n{rest}").as_bytes()).ok()?;
            return client.shutdown(Shutdown::Write).ok();
        }
        let mut server = TcpStream::connect(("127.0.0.1", server)).ok()?;
        server.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
        server.write_all(&body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
        let head = edit(String::from_utf8_lossy(&answer[..end]).into_owned());
        client.write_all(head.as_bytes()).ok()?;
        client.write_all(&answer[end..]).ok()?;
        client.shutdown(Shutdown::Write).ok()
    }
}

/// A request's head without its end, and its body.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?.trim_end().to_owned();
    let length = head.to_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    client.read_exact(&mut body).ok()?;
    Some((head, body))
}

async fn open(options: &Value) -> Result<DynDriver, Error> {
    let limits = Limits { retries: 0, ..Limits::default() };
    open_with_limits("http", options.as_object().unwrap(), limits).await
}

fn id() -> ItemKey {
    ItemKey::new("id").unwrap()
}

fn memory() -> Server {
    Server::start(&["--driver", "memory"])
}

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// How unstorage's server refuses `OPTIONS`.
const UNSTORAGE: &str = "405 Method Not Allowed\r\ncontent-type: application/json\r\n\r\n\
                         {\"statusCode\":405,\"statusMessage\":\"Method Not Allowed: OPTIONS\",\"stack\":[]}";

#[tokio::test]
async fn a_gateways_answer_at_the_start_is_not_taken_for_javascripts_server() {
    let server = memory();
    let gateway = Gateway::start(server.port);
    for answer in [
        "404 Not Found\r\n\r\ndefault backend - 404",
        "405 Not Allowed\r\n\r\n<h1>405 Not Allowed</h1>",
        "501 Not Implemented",
        "200 OK\r\n\r\nOK",
        "204 No Content\r\naccess-control-allow-methods: GET, PUT",
        "302 Found\r\nlocation: /login",
    ] {
        gateway.shows(&[], answer);
        let error = open(&gateway.options()).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{answer}: {error}");
        assert!(error.is_retryable(), "{answer}: {error}");
        assert!(error.to_string().contains("is the server up?"), "{answer}: {error}");
        gateway.passes_on();
        let driver = open(&gateway.options()).await.unwrap();
        let capabilities = driver.capabilities();
        assert!(capabilities.compare_and_swap && capabilities.expiry, "{answer}");
    }
}

#[tokio::test]
async fn a_gateway_that_answers_options_itself_hides_nothing() {
    let server = memory();
    let gateway = Gateway::start(server.port);
    for answer in ["204 No Content", "405 Not Allowed", "501 Not Implemented"] {
        gateway.shows(&["OPTIONS"], answer);
        let driver = open(&gateway.options()).await.unwrap();
        assert!(driver.capabilities().compare_and_swap, "{answer}");
        let written = driver.set(&id(), "value".into(), When::Always, MINUTE).await.unwrap();
        assert!(matches!(written, SetOutcome::Written { .. }), "{answer}");
        assert!(driver.get_with_ttl(&id()).await.unwrap().unwrap().1.is_some(), "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_was_taken_for_javascripts_is_spoken_to_as_what_it_is() {
    let server = memory();
    let gateway = Gateway::start(server.port);
    gateway.shows(&[], UNSTORAGE);
    for call in ["set", "get", "touch", "remove", "keys"] {
        gateway.shows(&[], UNSTORAGE);
        let driver = open(&gateway.options()).await.unwrap();
        assert!(!driver.capabilities().compare_and_swap, "{call}");
        gateway.passes_on();
        server.put("PUT", "/id", &[], "value").await;
        match call {
            "set" => {
                let written = driver.set(&id(), "new".into(), When::Always, MINUTE).await.unwrap();
                let SetOutcome::Written { version } = written else { panic!("{written:?}") };
                let (item, ttl) = driver.get_with_ttl(&id()).await.unwrap().unwrap();
                assert!(ttl.is_some() && item.version == version, "the deadline was not sent");
            }
            "get" => drop(driver.get(&id()).await.unwrap().unwrap()),
            "touch" => {
                assert!(driver.touch(&id(), MINUTE).await.unwrap());
                assert!(driver.get_with_ttl(&id()).await.unwrap().unwrap().1.is_some());
            }
            "remove" => {
                let removed = driver.remove(&id(), When::Always).await.unwrap();
                assert_eq!(removed, RemoveOutcome::Removed);
                let again = driver.remove(&id(), When::Always).await.unwrap();
                assert_eq!(again, RemoveOutcome::Missing);
            }
            _ => {
                use futures_util::TryStreamExt as _;
                let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
                assert_eq!(keys, [id()]);
            }
        }
        let capabilities = driver.capabilities();
        assert!(capabilities.compare_and_swap && capabilities.expiry, "{call}");
    }
}

#[tokio::test]
async fn a_server_over_another_store_behind_the_same_address_is_noticed() {
    let Some(unstorage) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    // One server that can compare and swap, and one over a store that cannot.
    let (able, base) = (memory(), format!("base={}", unstorage.url()));
    let unable = Server::start(&["--driver", "http", "--option", &base]);
    let gateway = Gateway::start(unable.port);
    let driver = open(&gateway.options()).await.unwrap();
    for (server, can) in [(&unable, false), (&able, true), (&unable, false)] {
        gateway.leads_to(server.port);
        assert_eq!(driver.get(&id()).await.unwrap(), None);
        let capabilities = driver.capabilities();
        assert_eq!((capabilities.compare_and_swap, capabilities.expiry), (can, can));
    }
    // JavaScript's own server instead is nobody's answer: nothing is lost without a word.
    gateway.leads_to(unstorage.port());
    let error = driver.get(&id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("another server is there now"), "{error}");
}

#[tokio::test]
async fn the_protocol_can_be_said_and_is_not_found_out_then() {
    let Some(unstorage) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let gateway = Gateway::start(unstorage.port());
    gateway.shows(&["OPTIONS", "HEAD"], "204 No Content");
    let mut options = gateway.options();
    let error = open(&options).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("protocol = \"unstorage\""), "{error}");
    options["protocol"] = json!("unstorage");
    let driver = open(&options).await.unwrap();
    _ = driver.set(&id(), "value".into(), When::Always, None).await.unwrap();
    assert_eq!(driver.get(&id()).await.unwrap().unwrap().value, "value");

    gateway.passes_on();
    options["protocol"] = json!("cloakroom");
    assert!(open(&options).await.is_err(), "it is JavaScript's");
    options["protocol"] = json!("nfs");
    assert_eq!(open(&options).await.map(drop).unwrap_err().kind(), ErrorKind::InvalidOptions);
}

#[tokio::test]
async fn what_a_gateway_says_reads_writes_and_removes_nothing() {
    let Some(unstorage) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let ours = memory();
    for (name, port) in [("cloakroom", ours.port), ("unstorage", unstorage.port())] {
        let gateway = Gateway::start(port);
        let driver = open(&gateway.options()).await.unwrap();
        _ = driver.set(&id(), "logged in".into(), When::Always, None).await.unwrap();
        let item = driver.get(&id()).await.unwrap().unwrap();
        for answer in [
            "200 OK\r\ncontent-type: text/html\r\netag: \"5f3-264\"\r\n\r\n<h1>Maintenance</h1>",
            "204 No Content",
            "202 Accepted\r\netag: W/\"5f3\"",
            "404 Not Found\r\ncontent-type: text/html\r\n\r\n<h1>404</h1>",
            "412 Precondition Failed",
            "302 Found\r\nlocation: /login",
        ] {
            gateway.shows(&[], answer);
            let failed = |error: Error| {
                assert!(!error.is_unapplied() || error.is_retryable(), "{name} {answer}: {error}");
            };
            if !(name == "unstorage" && answer.starts_with("200")) {
                // Of JavaScript's server a value has no sign.
                failed(driver.get(&id()).await.map(drop).unwrap_err());
                failed(driver.touch(&id(), MINUTE).await.map(drop).unwrap_err());
            }
            let set = driver.set(&id(), "new".into(), When::Always, MINUTE).await;
            failed(set.map(drop).unwrap_err());
            failed(driver.remove(&id(), When::Always).await.map(drop).unwrap_err());
            if name == "cloakroom" {
                let when = When::Version(item.version.clone());
                let set = driver.set(&id(), "new".into(), when.clone(), MINUTE).await;
                failed(set.map(drop).unwrap_err());
                failed(driver.remove(&id(), when).await.map(drop).unwrap_err());
            }
        }
        gateway.passes_on();
        assert_eq!(driver.get(&id()).await.unwrap().unwrap().value, "logged in", "{name}");
    }
}

#[tokio::test]
async fn a_proxy_that_changes_tags_is_seen_through() {
    fn edit(head: String, how: fn(&str) -> String) -> String {
        let lines = head.lines().map(|line| match line.split_once(": ") {
            Some((name, tag)) if name.eq_ignore_ascii_case("etag") => {
                format!("{name}: {}", how(tag))
            }
            _ => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\r\n")
    }
    let server = memory();
    let gateway = Gateway::start(server.port);
    let edits: [fn(String) -> String; 4] = [
        |head| edit(head, |tag| format!("W/{tag}")),
        |head| edit(head, |tag| tag.replace(".\"", ".-gzip\"")),
        |head| edit(head, |tag| format!("W/{}", tag.replace(".\"", ".;br\""))),
        |head| edit(head, |tag| tag.to_owned()),
    ];
    for change in edits {
        gateway.edits(change);
        let driver = open(&gateway.options()).await.unwrap();
        let written = driver.set(&id(), "1".into(), When::Absent, None).await.unwrap();
        let SetOutcome::Written { version } = written else { panic!("{written:?}") };
        let item = driver.get(&id()).await.unwrap().unwrap();
        assert_eq!(item.version, version);
        let written = driver.set(&id(), "2".into(), When::Version(version), None).await.unwrap();
        let SetOutcome::Written { version } = written else { panic!("{written:?}") };
        let late = driver.remove(&id(), When::Version(item.version)).await.unwrap();
        assert_eq!(late, RemoveOutcome::Conflict);
        let removed = driver.remove(&id(), When::Version(version)).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Removed);
    }
    // One that puts a tag of its own there is named.
    gateway.edits(|head| edit(head, |_| "\"5f3-264\"".to_owned()));
    let driver = open(&gateway.options()).await.unwrap();
    let error = driver.set(&id(), "1".into(), When::Absent, None).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("is a proxy in between"), "{error}");
}

#[tokio::test]
async fn a_version_of_a_server_before_its_restart_matches_nothing_after_it() {
    let overlay = r#"layers=[{"driver":"memory"},{"driver":"memory"}]"#;
    let cached = r#"layers=[{"driver":"lru-cache"},{"driver":"memory"}]"#;
    for arguments in [
        &["--driver", "memory"][..],
        &["--driver", "lru-cache"],
        &["--driver", "overlay", "--option", overlay],
        &["--driver", "overlay", "--option", cached],
    ] {
        let earlier = Server::start(arguments);
        let gateway = Gateway::start(earlier.port);
        let driver = open(&gateway.options()).await.unwrap();
        let written = driver.set(&id(), "old cart".into(), When::Absent, None).await.unwrap();
        let SetOutcome::Written { version } = written else { panic!("{written:?}") };
        drop(earlier);

        let later = Server::start(arguments);
        gateway.leads_to(later.port);
        _ = driver.set(&id(), "another's".into(), When::Absent, None).await.unwrap();
        let when = When::Version(version);
        let late = driver.set(&id(), "old handle's".into(), when.clone(), None).await.unwrap();
        assert_eq!(late, SetOutcome::Conflict, "{arguments:?}");
        let late = driver.remove(&id(), when).await.unwrap();
        assert_eq!(late, RemoveOutcome::Conflict, "{arguments:?}");
    }
}
