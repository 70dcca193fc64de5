//! A process that signs people in and ends their sessions, as a test tells it to.
//!
//! The test binary starts itself again with the test `child_works`, which does nothing by itself.

use std::env;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom::storage::{
    BoxStream, Bytes, Capabilities, Driver, DynDriver, Item, ItemKey, RemoveOutcome, Result,
    SetOutcome, When, async_trait,
};
use cloakroom::{Config, Error, ErrorKind, Sessions};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{anns, open, request, respond, sign_in};

const CONFIG: &str = "CLOAKROOM_TEST_CONFIG";

/// What an answer begins with; the test harness writes to the same output.
const ANSWER: &str = "answer: ";

/// What stands for a cookie where there is none.
pub(crate) const FULL: &str = "full";
pub(crate) const ENDED: &str = "ended";

/// A process, which does not outlive the test.
pub(crate) struct Worker {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts one that is ready.
    pub(crate) fn start(config: &Value) -> Worker {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "worker::child_works", "--ignored", "--nocapture"])
            .env(CONFIG, config.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut worker = Worker { child, orders, answers };
        worker.answer().expect("the process begins");
        worker
    }

    /// Tells it to do something.
    pub(crate) fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// What it answers; `None` where it has died instead.
    pub(crate) fn answer(&mut self) -> Option<Vec<String>> {
        let mut lines = self.answers.by_ref().map_while(std::io::Result::ok);
        let answer =
            lines.find_map(|line| line.split_once(ANSWER).map(|(_, words)| words.to_owned()))?;
        Some(answer.split_whitespace().map(str::to_owned).collect())
    }

    /// The cookies among an answer.
    pub(crate) fn cookies(&mut self) -> Option<Vec<String>> {
        let answer = self.answer()?;
        Some(answer.into_iter().filter(|word| word.contains('=')).collect())
    }

    /// Ends it as `kill -9` does; gives the cookies that it handed out since the last answer.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.cookies()).flatten().collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of `Worker::start`"]
async fn child_works() {
    let Ok(config) = env::var(CONFIG) else { return };
    let config: Value = serde_json::from_str(&config).unwrap();
    let mortal = Arc::new(Mortal::new(open(&config).await.driver().clone()));
    let settings = Config::from_json(&config.to_string()).unwrap();
    let sessions = Sessions::with_driver(mortal.clone(), &settings).unwrap();
    answer(&[]);
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let words: Vec<&str> = order.split_whitespace().collect();
        match words[..] {
            ["die_at", call] => mortal.die_at(call.parse().unwrap()),
            ["sign_in", count] => answer(&at_once(count, &sessions, new_browser).await),
            ["revoke_all", count] => answer(&at_once(count, &sessions, revoke_all).await),
            ["regenerate", cookie] => answer(&[regenerate(sessions.clone(), cookie).await]),
            ["sign_out", cookie] => answer(&[sign_out(sessions.clone(), cookie).await]),
            ["live"] => live(&sessions).await,
            _ => panic!("nobody knows how to {order}"),
        }
    }
}

fn answer(words: &[String]) {
    println!("{ANSWER}{}", words.join(" "));
}

/// Does the same in so many requests at once.
async fn at_once<F>(count: &str, sessions: &Sessions, what: impl Fn(Sessions) -> F) -> Vec<String>
where
    F: Future<Output = String> + Send + 'static,
{
    let mut requests = JoinSet::new();
    for _ in 0..count.parse().unwrap() {
        requests.spawn(what(sessions.clone()));
    }
    requests.join_all().await
}

async fn new_browser(sessions: Sessions) -> String {
    sign_in(&sessions).await.unwrap_or_else(|error| refused(&error))
}

/// Ends all, as soon as there is somebody: the other process may not have begun yet.
async fn revoke_all(sessions: Sessions) -> String {
    const PATIENCE: u32 = 200;
    for _ in 0..PATIENCE {
        match anns(&sessions).revoke_all().await.unwrap() {
            0 => tokio::task::yield_now().await,
            ended => return ended.to_string(),
        }
    }
    0.to_string()
}

async fn regenerate(sessions: Sessions, cookie: &str) -> String {
    let session = request(&sessions, cookie);
    let regenerated = async {
        session.regenerate().await?;
        respond(&session).await
    };
    match regenerated.await {
        Ok(cookie) => cookie.unwrap_or_else(|| ENDED.to_owned()),
        Err(error) => refused(&error),
    }
}

async fn sign_out(sessions: Sessions, cookie: &str) -> String {
    let session = request(&sessions, cookie);
    session.sign_out();
    respond(&session).await.unwrap();
    ENDED.to_owned()
}

/// What a request was refused for that others may refuse; anything else is a failure.
fn refused(error: &Error) -> String {
    match error.kind() {
        ErrorKind::TooManySessions => FULL.to_owned(),
        ErrorKind::Destroyed => ENDED.to_owned(),
        _ => panic!("{error}"),
    }
}

/// Signs in, moves, revokes and signs out, a few requests at once, until somebody ends it.
async fn live(sessions: &Sessions) {
    let mut browsers = JoinSet::new();
    for _ in 0..4 {
        let sessions = sessions.clone();
        browsers.spawn(async move {
            loop {
                let mut cookie = new_browser(sessions.clone()).await;
                for _ in 0..2 {
                    answer(std::slice::from_ref(&cookie));
                    if cookie != ENDED {
                        cookie = regenerate(sessions.clone(), &cookie).await;
                    }
                }
                answer(std::slice::from_ref(&cookie));
                let anns = anns(&sessions);
                match crate::moment(Duration::from_secs(4)).as_secs() {
                    0 => _ = anns.revoke_all().await.unwrap(),
                    1 if cookie != ENDED => _ = sign_out(sessions.clone(), &cookie).await,
                    2 => {
                        if let Some(newest) = anns.list().await.unwrap().first() {
                            anns.revoke(newest.handle()).await.unwrap();
                        }
                    }
                    _ => {}
                }
            }
        });
    }
    browsers.join_all().await;
}

/// A driver whose process dies at one of its calls.
#[derive(Debug)]
struct Mortal {
    driver: DynDriver,
    /// How many calls it has left.
    left: AtomicUsize,
}

impl Mortal {
    fn new(driver: DynDriver) -> Mortal {
        Mortal { driver, left: AtomicUsize::new(usize::MAX) }
    }

    /// Dies before the call of this number, from now on; the first is 1.
    fn die_at(&self, call: usize) {
        self.left.store(call, Ordering::SeqCst);
    }

    fn driver(&self) -> &DynDriver {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
        &self.driver
    }
}

#[async_trait]
impl Driver for Mortal {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.driver().get(key).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.driver().get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.driver().set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.driver().remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.driver().touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.driver.keys(prefix)
    }
}
