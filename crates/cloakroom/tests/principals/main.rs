//! What the index of a principal's sessions promises, on real stores and with processes that race and die.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Makes a module of the test's name with one test for each store.
macro_rules! on_every_store {
    ($test:ident) => {
        mod $test {
            on!($test, fs_lite, fs_lite());
            on!($test, redis, redis());
            on!($test, sql_on_postgres, postgres("sql"));
            on!($test, sql_on_mariadb, mariadb("sql"));
            on!($test, sql_on_sqlite, sqlite("sql"));
        }
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

mod at_rest;
mod audit;
mod changes;
mod cost;
mod deaths;
mod gone;
mod limits;
mod revocations;
mod worker;

use std::time::Duration;

use axum::http::HeaderValue;
use cloakroom::adapter::Commit;
use cloakroom::{Config, CookieHeaders, PrincipalSessions, Result, Session, Sessions};
use interop_peers::Store;
use serde_json::{Value, json};

/// The principal of all these tests.
const ANN: &str = "ann@example.org";

/// The entry that says whose a session is, where the configuration has a `principal`.
const USER: &str = "user";

/// What a configuration says to reach the store, with more settings.
fn configuration(store: &Store, settings: &Value) -> Value {
    let mut config: Value = serde_json::from_str(&store.config()).unwrap();
    // Many servers share this machine's disk, and one that waits for it is not what these tests are about.
    config["timeout"] = json!(30_000);
    for (name, value) in settings.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// Sessions over a connection of their own.
async fn open(config: &Value) -> Sessions {
    let config = Config::from_json(&config.to_string()).unwrap();
    Sessions::from_config(config).await.unwrap()
}

/// The session of a browser with this cookie; nothing for a new visitor.
fn request(sessions: &Sessions, cookie: &str) -> Session {
    match cookie {
        "" => sessions.session(CookieHeaders::default()),
        cookie => sessions.session(HeaderValue::from_str(cookie).unwrap()),
    }
}

/// Ends a request; gives the cookie that the browser has then.
async fn respond(session: &Session) -> Result<Option<String>> {
    let set_cookie = session.finish().await?.set_cookie;
    Ok(set_cookie.map(|header| header.split(';').next().unwrap().to_owned()))
}

/// Signs in with a new browser; gives its cookie.
async fn sign_in(sessions: &Sessions) -> Result<String> {
    let session = request(sessions, "");
    session.set(USER, ANN)?;
    session.sign_in(ANN).await?;
    Ok(respond(&session).await?.expect("who signs in gets a cookie"))
}

/// Whether a request with this cookie is signed in.
async fn is_signed_in(sessions: &Sessions, cookie: &str) -> bool {
    request(sessions, cookie).principal().await.unwrap().as_deref() == Some(ANN)
}

fn anns(sessions: &Sessions) -> PrincipalSessions {
    sessions.of(ANN)
}

/// A moment within so long.
fn moment(longest: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    longest.mul_f64((RandomState::new().hash_one(()) % 1000) as f64 / 1000.0)
}
