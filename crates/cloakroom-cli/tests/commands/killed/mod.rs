//! A command that was killed in the middle is run again, and finishes: nothing is lost, and nothing that was ended is alive.

mod gate;
mod often;

use cloakroom_session::SessionId;
use cloakroom_storage::{Driver as _, DynDriver, ItemKey, When};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use crate::keys::{NEW, OLD};
use crate::support::{Ran, Site};

/// What is put into a store, with which command it is changed, and what is there in the end.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The arguments, and beside them what the configuration has by then.
    pub(crate) arguments: Vec<String>,
    pub(crate) before: Value,
    pub(crate) meanwhile: Value,
    pub(crate) afterwards: Value,
    fault: bool,
    ends: bool,
}

/// Who was signed in, and who had been signed out before.
pub(crate) struct People {
    alive: Vec<(SessionId, String)>,
    ended: Vec<SessionId>,
    /// Whose end somebody had begun, and nobody finished.
    ending: Vec<SessionId>,
}

impl Case {
    /// All of them. `export` is where an export of the same people is.
    pub(crate) fn all() -> Vec<Case> {
        let case = |name, arguments: &[&str], [before, meanwhile, afterwards]: [Value; 3]| Case {
            name,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            before,
            meanwhile,
            afterwards,
            fault: name == "verify",
            ends: name == "revoke",
        };
        let plain = || [Value::Null, Value::Null, Value::Null];
        let keys = |keys: &[&str]| json!({ "keys": keys });
        vec![
            case("rotate", &["rotate"], [keys(&[OLD]), keys(&[NEW, OLD]), keys(&[NEW])]),
            case(
                "encrypt",
                &["encrypt"],
                [Value::Null, json!({ "keys": [NEW], "acceptPlain": true }), keys(&[NEW])],
            ),
            case("verify", &["verify", "--repair"], plain()),
            case("import", &["import"], plain()),
            case("revoke", &["revoke", "--all", "--yes"], plain()),
        ]
    }

    /// Puts people into the store. An import has them from a file, of another store.
    pub(crate) async fn begin(&self, site: &mut Site, principals: usize) -> People {
        self.configure(site, &self.before);
        match self.name {
            "import" => {
                let other = Site::on_files();
                let people = self.people(&other, principals).await;
                let path = site.path("export");
                let ran = run(&other, &["export", "--output", path.to_str().unwrap()]).await;
                assert_eq!(ran.code, 0, "{}", ran.errors);
                people
            }
            _ => self.people(site, principals).await,
        }
    }

    async fn people(&self, site: &Site, principals: usize) -> People {
        let [mut ended, mut ending] = [(); 2].map(|()| Vec::new());
        let mut alive = Vec::new();
        for number in 0..principals {
            let principal = format!("principal {number}");
            for _ in 0..2 {
                alive.push((site.signed_in(&principal).await, principal.clone()));
            }
        }
        // A tombstone, an end that somebody began, bytes that are torn, and a session that is in no index.
        let somebody = site.signed_in("somebody").await;
        site.sessions().await.of("somebody").revoke_all().await.unwrap();
        ended.push(somebody);
        if self.fault {
            let driver = site.sessions().await.driver().clone();
            for name in ["torn", "torn too"] {
                let id = site.signed_in(name).await;
                put(&driver, &key(id), r#"[["Map",1,2],"cart""#).await;
            }
            let begun = site.signed_in("begun").await;
            edit(&driver, begun, |entry| entry["ending"] = true.into()).await;
            ending.push(begun);
            let gone = site.signed_in("gone").await;
            edit(&driver, gone, |entry| entry["at"] = 1_700_000_000_000_i64.into()).await;
            _ = driver.remove(&key(gone), When::Always).await.unwrap();
            ended.push(gone);
            let unlisted = site.signed_in("unlisted").await;
            let page = page_of(&driver, unlisted).await;
            _ = driver.remove(&page, When::Always).await.unwrap();
            alive.push((unlisted, "unlisted".to_owned()));
        }
        People { alive, ended, ending }
    }

    pub(crate) fn configure(&self, site: &mut Site, encryption: &Value) {
        let config = site.config.as_object_mut().unwrap();
        match encryption {
            Value::Null => _ = config.remove("encryption"),
            encryption => _ = config.insert("encryption".to_owned(), encryption.clone()),
        }
    }

    /// The arguments on the command line.
    pub(crate) fn arguments(&self, site: &Site) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        if self.name == "import" {
            arguments.extend(["--input".to_owned(), site.path("export").display().to_string()]);
        }
        arguments
    }

    /// Runs it to its end, and looks at what there is then.
    pub(crate) async fn finish(&self, site: &mut Site, people: &People, why: &str) {
        let arguments = self.arguments(site);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let ran = run(site, &arguments).await;
        assert_eq!(ran.code, 0, "{why}: {}{}", ran.output, ran.errors);
        self.configure(site, &self.afterwards);
        let verified = run(site, &["verify", "--json"]).await;
        let mut faults = verified.json();
        let counts = faults.pop().unwrap();
        // An entry outlives its session, until somebody lists that principal's.
        faults.retain(|fault| !(self.ends && fault["fault"] == "outlived"));
        assert_eq!(faults, Vec::<Value>::new(), "{why}: {}", verified.errors);
        let (alive, aside) =
            (if self.ends { 0 } else { people.alive.len() }, if self.fault { 2 } else { 0 });
        assert_eq!(
            (&counts["sessions"], &counts["aside"]),
            (&alive.into(), &aside.into()),
            "{why}: {counts}"
        );
        let sessions = site.sessions().await;
        for (id, principal) in &people.alive {
            let found = sessions.all().find_by_id(*id).await.unwrap();
            assert_eq!(found.is_some(), !self.ends, "{why}");
            let Some(found) = found else { continue };
            assert_eq!(found.principal(), Some(principal.as_str()), "{why}");
            let cart: Option<Vec<String>> = found.get("cart").unwrap();
            assert_eq!(cart.unwrap(), ["hat", "scarf"], "{why}");
        }
        let mut principals: Vec<_> = people.alive.iter().map(|(_, principal)| principal).collect();
        principals.dedup();
        for principal in principals {
            let meant = people.alive.iter().filter(|(_, whose)| whose == principal).count();
            let listed = sessions.of(principal).count().await.unwrap();
            assert_eq!(listed, if self.ends { 0 } else { meant }, "{why}: {principal}");
        }
        self.assert_ended(site, people, why).await;
        for id in &people.ending {
            assert!(!site.is_alive(*id).await, "{why}: an end that was begun was not finished");
        }
    }

    /// Whoever had been signed out is so still.
    pub(crate) async fn assert_ended(&self, site: &Site, people: &People, why: &str) {
        for id in &people.ended {
            assert!(!site.is_alive(*id).await, "{why}: somebody is alive who was signed out");
        }
    }
}

/// Runs a command beside other tasks, of which the store may be one.
async fn run(site: &Site, arguments: &[&str]) -> Ran {
    let mut command = site.command(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap().into()
}

fn key(id: SessionId) -> ItemKey {
    ItemKey::new(&id.to_string()).unwrap()
}

async fn put(driver: &DynDriver, key: &ItemKey, bytes: &str) {
    _ = driver.set(key, bytes.to_owned().into(), When::Always, None).await.unwrap();
}

/// The page of the index on which this session stands.
async fn page_of(driver: &DynDriver, id: SessionId) -> ItemKey {
    let pages: Vec<ItemKey> = driver.keys("principal").try_collect().await.unwrap();
    for page in pages {
        let item = driver.get(&page).await.unwrap().unwrap();
        if String::from_utf8_lossy(&item.value).contains(&id.to_string()) {
            return page;
        }
    }
    panic!("the session is on no page")
}

/// Changes the entry of a session by hand.
async fn edit(driver: &DynDriver, id: SessionId, edit: impl Fn(&mut Value)) {
    let key = page_of(driver, id).await;
    let item = driver.get(&key).await.unwrap().unwrap();
    let mut page: Value = serde_json::from_slice(&item.value).unwrap();
    page["sessions"].as_array_mut().unwrap().iter_mut().for_each(edit);
    put(driver, &key, &page.to_string()).await;
}

/// All that is alive in a store.
pub(crate) async fn alive(site: &Site) -> Vec<String> {
    let sessions = site.sessions().await;
    let all = sessions.all();
    let listed: Vec<_> = all.list().unwrap().try_collect().await.unwrap();
    let alive = listed.iter().filter(|session| session.unreadable().is_none());
    alive.map(|session| session.handle().to_string()).collect()
}
