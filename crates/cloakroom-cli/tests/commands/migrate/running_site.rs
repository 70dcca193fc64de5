//! A site of several servers that are started anew one by one, and its visitors, who go on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Router, http};
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::SessionLayer;
use cloakroom_tower::axum::{Result, Session};
use futures_util::future::join_all;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// How often each visitor comes while one thing is changed, at least.
const ROUNDS: usize = 12;

/// The servers, each with sessions of its own.
pub(crate) struct Servers(Vec<Mutex<Router>>);

/// Somebody with a browser.
pub(crate) struct Visitor {
    name: String,
    cookie: String,
    /// How often a server has said that it has counted, and how often it was asked.
    counted: usize,
    asked: usize,
    /// What the browser had before each logout that a server has confirmed.
    left: Vec<String>,
}

struct Answer {
    status: StatusCode,
    cookie: Option<String>,
    text: String,
}

async fn enter(session: Session, name: String) -> Result<()> {
    session.sign_in(&name).await?;
    session.set("name", &name)
}

async fn count(session: Session) -> Result<String> {
    if session.get::<String>("name").await?.is_none() {
        return Ok("nobody".to_owned());
    }
    Ok(session.update::<usize>("count", |count| *count += 1).await?.to_string())
}

async fn look(session: Session) -> Result<String> {
    let Some(name) = session.get::<String>("name").await? else { return Ok("nobody".to_owned()) };
    let count = session.get::<usize>("count").await?.unwrap_or_default();
    Ok(format!("{name} {count}"))
}

async fn leave(session: Session) -> Result<()> {
    session.destroy();
    Ok(())
}

async fn server(config: &Value) -> Router {
    let sessions =
        Sessions::from_config(Config::from_json(&config.to_string()).unwrap()).await.unwrap();
    Router::new()
        .route("/enter", post(enter))
        .route("/count", post(count))
        .route("/", get(look))
        .route("/leave", post(leave))
        .layer(SessionLayer::new(sessions))
}

impl Servers {
    pub(crate) async fn start(number: usize, config: &Value) -> Servers {
        Servers(join_all((0..number).map(async |_| Mutex::new(server(config).await))).await)
    }

    pub(crate) fn number(&self) -> usize {
        self.0.len()
    }

    /// Starts one of them anew with another configuration; what it is answering it finishes.
    pub(crate) async fn restart(&self, number: usize, config: &Value) {
        let anew = server(config).await;
        *self.0[number].lock().unwrap() = anew;
    }

    async fn ask(
        &self,
        server: usize,
        method: &str,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let router = self.0[server % self.0.len()].lock().unwrap().clone();
        let response = router.oneshot(request).await.unwrap();
        let cookie = response.headers().get(header::SET_COOKIE);
        let cookie = cookie.map(|it| it.to_str().unwrap().split(';').next().unwrap().to_owned());
        let status = response.status();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, cookie, text: String::from_utf8(text.to_vec()).unwrap() }
    }
}

impl Visitor {
    pub(crate) async fn new(servers: &Servers, number: usize) -> Visitor {
        let (cookie, left) = (String::new(), Vec::new());
        let name = format!("visitor-{number}");
        let mut visitor = Visitor { name, cookie, counted: 0, asked: 0, left };
        visitor.enter(servers, number).await;
        visitor
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    async fn enter(&mut self, servers: &Servers, server: usize) {
        (self.counted, self.asked) = (0, 0);
        loop {
            let answer = servers.ask(server, "POST", "/enter", "", &self.name).await;
            if answer.status == StatusCode::OK {
                self.cookie = answer.cookie.unwrap();
                return;
            }
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
        }
    }

    /// Has something counted. A server that cannot reach its store says so, and may have counted.
    async fn count(&mut self, servers: &Servers, server: usize, when: &str) {
        self.asked += 1;
        let answer = servers.ask(server, "POST", "/count", &self.cookie, "").await;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            return;
        }
        assert_eq!(answer.status, StatusCode::OK, "{when}: {}", answer.text);
        assert_ne!(answer.text, "nobody", "{when}: the session of {} is lost", self.name);
        self.counted += 1;
        let count: usize = answer.text.parse().unwrap();
        assert!(
            (self.counted..=self.asked).contains(&count),
            "{when}: {count} of {}",
            self.counted
        );
    }

    /// Logs out, and begins anew.
    async fn leave(&mut self, servers: &Servers, server: usize) {
        while servers.ask(server, "POST", "/leave", &self.cookie, "").await.status != StatusCode::OK
        {
        }
        self.left.push(std::mem::take(&mut self.cookie));
        self.enter(servers, server + 1).await;
    }

    /// Looks by each server: what was counted is there, and who has left is out.
    async fn look(&self, servers: &Servers, when: &str) {
        for server in 0..servers.number() {
            let answer = servers.ask(server, "GET", "/", &self.cookie, "").await;
            let (name, count) = answer.text.split_once(' ').unwrap_or((&answer.text, "0"));
            assert_eq!(
                (answer.status, name),
                (StatusCode::OK, self.name.as_str()),
                "{when}, server {server}"
            );
            let count: usize = count.parse().unwrap();
            assert!(
                (self.counted..=self.asked).contains(&count),
                "{when}: {count} of {}",
                self.counted
            );
            for left in &self.left {
                let answer = servers.ask(server, "GET", "/", left, "").await;
                assert_eq!(answer.text, "nobody", "{when}, server {server}: a logout was undone");
            }
        }
    }

    /// Whether this session is over, by each server.
    pub(crate) async fn is_out(&self, servers: &Servers) -> bool {
        let mut answers = Vec::new();
        for server in 0..servers.number() {
            answers.push(servers.ask(server, "GET", "/", &self.cookie, "").await.text);
        }
        answers.iter().all(|answer| answer == "nobody")
    }
}

/// Changes something while all visitors go on, by one server after the other; then each looks.
pub(crate) async fn meanwhile<T>(
    servers: &Servers,
    visitors: &mut [Visitor],
    when: &str,
    change: impl Future<Output = T>,
) -> T {
    let is_done = &AtomicBool::new(false);
    let changing = async {
        let changed = change.await;
        is_done.store(true, Ordering::Relaxed);
        changed
    };
    let going_on = visitors.iter_mut().enumerate().map(|(number, visitor)| async move {
        let mut round = 0;
        while round < ROUNDS || !is_done.load(Ordering::Relaxed) {
            visitor.count(servers, number + round, when).await;
            // Two thirds stay who they are; of the others each leaves at another time.
            if number % 3 == 0 && round == number % ROUNDS {
                visitor.leave(servers, number + round).await;
            }
            round += 1;
            tokio::task::yield_now().await;
        }
    });
    let (changed, _) = tokio::join!(changing, join_all(going_on));
    join_all(visitors.iter().map(|visitor| visitor.look(servers, when))).await;
    changed
}
