//! One of our peers' servers of the group `served`: `serve_peer SIDE [WHERE]`, on one thread, on a free port that it
//! prints.

use std::collections::HashMap;
use std::future::Future;

use anyhow::{Context as _, Result, bail};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use redis::Script;
use redis::aio::MultiplexedConnection;
use serve::{Add, FULL, OTHERS, other, push, serve};

/// The script by which ours compares and swaps.
const SCRIPT: &str =
    include_str!("../../../crates/cloakroom-drivers/src/common/keyspace/script.lua");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let side = arguments.next().context("which server?")?;
    let place = arguments.next().unwrap_or_default();
    let app = match side.as_str() {
        "bare" => bare(),
        "client" => client(&place, false).await?,
        "client-native" => client(&place, true).await?,
        "tower-sessions" => tower_sessions_in_memory(),
        "tower-sessions-redis" => tower_sessions_on_redis(&place).await?,
        _ => bail!("there is no server {side:?}"),
    };
    serve(app).await
}

fn bare() -> Router {
    Router::new()
        .route("/fill", post(async || ([(header::SET_COOKIE, "id=none; Path=/")], "0".to_owned())))
        .route("/cart", get(async || FULL.to_string()))
        .route("/add", post(async |Json(add): Json<Add>| add.item.len().to_string()))
}

/// A client without sessions, which sends the commands that ours sends, with values of about the same size: to compare and swap
/// the server's own, where it has one, or the script.
async fn client(url: &str, is_native: bool) -> Result<Router> {
    type Answer = Result<String, StatusCode>;
    type Client = State<(MultiplexedConnection, Option<&'static Script>)>;

    async fn known<T>(
        command: impl Future<Output = redis::RedisResult<T>>,
    ) -> Result<T, StatusCode> {
        command.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn name(headers: &HeaderMap) -> Result<&str, StatusCode> {
        let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
        cookie.and_then(|cookie| cookie.strip_prefix("id=")).ok_or(StatusCode::BAD_REQUEST)
    }

    async fn fill(
        State((mut connection, _)): Client,
    ) -> Result<([(header::HeaderName, String); 1], String), StatusCode> {
        let id: u64 = known(redis::cmd("INCR").arg("clients").query_async(&mut connection)).await?;
        let record: HashMap<_, _> = OTHERS.iter().map(|key| (key, other(key))).collect();
        let record = serde_json::to_vec(&record).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let name = format!("client-{id}");
        known(redis::cmd("SET").arg(&name).arg(record).exec_async(&mut connection)).await?;
        Ok(([(header::SET_COOKIE, format!("id={name}; Path=/"))], "0".to_owned()))
    }

    async fn cart(State((mut connection, _)): Client, headers: HeaderMap) -> Answer {
        let name = name(&headers)?;
        let record: Vec<u8> =
            known(redis::cmd("GET").arg(name).query_async(&mut connection)).await?;
        Ok(record.len().to_string())
    }

    async fn add(
        State((mut connection, script)): Client,
        headers: HeaderMap,
        Json(add): Json<Add>,
    ) -> Answer {
        let name = name(&headers)?;
        let record: Vec<u8> =
            known(redis::cmd("GET").arg(name).query_async(&mut connection)).await?;
        let is_done = match script {
            Some(script) => {
                let mut invocation = script.key(name);
                invocation.arg(&record).arg("").arg(&record);
                known(invocation.invoke_async::<i64>(&mut connection)).await? == 1
            }
            None => {
                let mut set = redis::cmd("SET");
                set.arg(name).arg(&record).arg("IFEQ").arg(&record);
                known(set.query_async::<Option<String>>(&mut connection)).await?.is_some()
            }
        };
        match is_done {
            true => Ok(add.item.len().to_string()),
            false => Err(StatusCode::CONFLICT),
        }
    }

    let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let script: Option<&'static Script> =
        (!is_native).then(|| &*Box::leak(Box::new(Script::new(SCRIPT))));
    Ok(Router::new()
        .route("/fill", post(fill))
        .route("/cart", get(cart))
        .route("/add", post(add))
        .with_state((connection, script)))
}

/// The same handlers for either version of tower-sessions: its store on Redis is of the one before the last.
macro_rules! tower_sessions {
    ($version:ident, $store:expr) => {{
        use $version::{Session, SessionManagerLayer, session::Error};

        fn failed(_: Error) -> StatusCode {
            StatusCode::INTERNAL_SERVER_ERROR
        }

        async fn fill(session: Session) -> Result<String, StatusCode> {
            for key in OTHERS {
                session.insert(key, other(key)).await.map_err(failed)?;
            }
            session.insert("cart", Vec::<String>::new()).await.map_err(failed)?;
            Ok("0".to_owned())
        }

        async fn cart(session: Session) -> Result<String, StatusCode> {
            let cart: Vec<String> = session.get("cart").await.map_err(failed)?.unwrap_or_default();
            Ok(cart.len().to_string())
        }

        async fn add(session: Session, Json(add): Json<Add>) -> Result<String, StatusCode> {
            let mut cart: Vec<String> =
                session.get("cart").await.map_err(failed)?.unwrap_or_default();
            push(&mut cart, add.item);
            session.insert("cart", &cart).await.map_err(failed)?;
            Ok(cart.len().to_string())
        }

        Router::new()
            .route("/fill", post(fill))
            .route("/cart", get(cart))
            .route("/add", post(add))
            .layer(SessionManagerLayer::new($store).with_secure(false))
    }};
}

fn tower_sessions_in_memory() -> Router {
    tower_sessions!(tower_sessions, tower_sessions::MemoryStore::default())
}

/// With a pool of fred's, as the store's documentation has it.
async fn tower_sessions_on_redis(url: &str) -> Result<Router> {
    use tower_sessions_redis_store::RedisStore;
    use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(tower_sessions!(tower_sessions_0_14, RedisStore::new(pool)))
}
