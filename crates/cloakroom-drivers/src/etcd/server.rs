//! The cluster: where its servers are, who we are to it, and what its refusals mean.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::NAME;
use super::answer::Answer;
use super::options::Options;
use crate::common::http::{Address, Client, Request, Secret, refusal, unreadable};
use cloakroom_storage::{Advice, Error, ErrorKind, Result, options};

/// As many requests as there may be at once, each on a connection: what more calls wait for.
const REQUESTS: usize = 32;

#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    permits: Semaphore,
    addresses: Vec<Address>,
    /// The address that was reached last.
    current: AtomicUsize,
    user: Option<User>,
}

#[derive(Debug)]
struct User {
    name: String,
    password: Secret,
    /// What the cluster gave for the password. It forgets that after some minutes without a call.
    token: Mutex<Option<HeaderValue>>,
    /// Held while one call logs in, so that the others wait for it.
    logging_in: tokio::sync::Mutex<()>,
}

/// What etcd refused, by gRPC's code.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    code: Option<u32>,
    is_stale_token: bool,
}

const UNAUTHENTICATED: u32 = 16;
/// Of tokens that are signed, each is of one revision of the users and roles.
const OLD_REVISION: &str = "revision of auth store is old";
const NO_USER: &str = "user name is empty";

impl Server {
    pub(super) fn new(options: Options) -> Result<Server> {
        let url = options.url.as_deref().unwrap_or("http://localhost:2379");
        let addresses = url.split(',').map(|url| match url.contains("://") {
            true => Address::new(NAME, "url", url),
            // As `etcdctl` takes it.
            false => Address::new(NAME, "url", &format!("http://{}", url.trim())),
        });
        let user = match (options.username, options.password) {
            (None, None) => None,
            (Some(name), Some(password)) => Some(User {
                name,
                password: Secret::from(password),
                token: Mutex::default(),
                logging_in: tokio::sync::Mutex::default(),
            }),
            _ => return Err(options::invalid(NAME, "`username` and `password` go together")),
        };
        Ok(Server {
            client: Client::new(NAME)?,
            permits: Semaphore::new(REQUESTS),
            addresses: addresses.collect::<Result<_>>()?,
            current: AtomicUsize::new(0),
            user,
        })
    }

    /// Sends a request, as the user where there is one.
    pub(super) async fn call(&self, path: &str, body: &Value) -> Result<Answer> {
        self.try_call(path, body).await.map_err(Failure::into_error)
    }

    /// What is unsafe on the way there.
    pub(super) fn advice(&self) -> Vec<Advice> {
        self.addresses.iter().filter_map(Address::advice).collect()
    }

    /// As [`call`](Server::call), for one whose refusal may be an answer.
    pub(super) async fn try_call(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let Some(user) = &self.user else { return self.send(path, body, None).await };
        let known = user.token();
        if let Some(token) = &known {
            match self.send(path, body, Some(token.clone())).await {
                Err(failure) if failure.is_stale_token() => {}
                answer => return answer,
            }
        }
        let token = self.log_in(user, known.as_ref()).await?;
        self.send(path, body, Some(token)).await
    }

    /// Another token than the one that is stale: one that somebody else has got since, or a new one.
    async fn log_in(
        &self,
        user: &User,
        stale: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Failure> {
        let _turn = user.logging_in.lock().await;
        if let Some(token) = user.token().filter(|token| Some(token) != stale) {
            return Ok(token);
        }
        let login = json!({ "name": user.name, "password": user.password.expose() });
        let answer = self.send("/v3/auth/authenticate", &login, None).await?;
        let token = Secret::from(answer.token.unwrap_or_default()).header(NAME, "")?;
        *user.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    async fn send(
        &self,
        path: &str,
        body: &Value,
        token: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let current = self.current.load(Ordering::Relaxed);
        let Some(address) = self.addresses.get(current) else {
            return Err(options::invalid(NAME, "option `url` has no address").into());
        };
        let mut request = Request::new(body.to_string().into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = address.uri(NAME, path)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(token.map(|token| (AUTHORIZATION, token)));
        let permit = self.permits.acquire().await.map_err(|closed| {
            Error::new(ErrorKind::Cancelled, "the driver is closed").with_source(closed)
        })?;
        let mut attempt = Attempt { server: self, current, is_served: false };
        let answer = self.client.send(request).await?;
        drop(permit);
        // One that is cut off from the others answers, but cannot serve.
        attempt.is_served = !answer.status().is_server_error();
        if answer.status() != StatusCode::OK {
            return Err(Failure::read(answer.status(), answer.body()));
        }
        serde_json::from_slice(answer.body())
            .map_err(|error| unreadable(NAME, "the answer", error).into())
    }

    /// Lets the next call go to the next server.
    fn leave(&self, current: usize) {
        let next = (current + 1) % self.addresses.len();
        // Another call may have left it already.
        _ = self.current.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// A request that is under way. If it comes to nothing, also because nobody waited any longer, the next call goes to the
/// next server.
struct Attempt<'a> {
    server: &'a Server,
    current: usize,
    is_served: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_served {
            self.server.leave(self.current);
        }
    }
}

impl User {
    fn token(&self) -> Option<HeaderValue> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Failure {
    fn read(status: StatusCode, body: &[u8]) -> Failure {
        #[derive(Deserialize)]
        struct Refused {
            code: u32,
            message: String,
        }
        let Ok(Refused { code, message }) = serde_json::from_slice(body) else {
            return refusal(NAME, status, None).into();
        };
        let has = |words: &str| message.contains(words);
        let told = match code {
            _ if has("too large") || has("larger than max") => Some((
                ErrorKind::TooLarge,
                "the request is larger than etcd takes; see its option `--max-request-bytes`",
            )),
            _ if has("database space exceeded") => {
                Some((ErrorKind::StorageFull, "etcd's database has reached its quota"))
            }
            _ if has("authentication failed") => {
                Some((ErrorKind::PermissionDenied, "the user or the password is wrong"))
            }
            _ if has(NO_USER) => Some((
                ErrorKind::PermissionDenied,
                "etcd wants a user; set `username` and `password`",
            )),
            _ if has(OLD_REVISION) => {
                Some((ErrorKind::Unavailable, "etcd's users are being changed just now"))
            }
            _ => None,
        };
        let is_stale_token = code == UNAUTHENTICATED || has(OLD_REVISION) || has(NO_USER);
        let error = match told {
            Some((kind, message)) => Error::new(kind, message).with_unapplied(true),
            // etcd's messages are sentences of its own, without keys.
            None => refusal(NAME, status, Some(&message)),
        };
        Failure { error: error.with_driver(NAME), code: Some(code), is_stale_token }
    }

    /// The cluster does not know the lease that a key is to have.
    pub(super) fn is_unknown_lease(&self) -> bool {
        const NOT_FOUND: u32 = 5;
        self.code == Some(NOT_FOUND)
    }

    /// There is such a lease already.
    pub(super) fn is_known_lease(&self) -> bool {
        const FAILED_PRECONDITION: u32 = 9;
        self.code == Some(FAILED_PRECONDITION)
    }

    pub(super) fn into_error(self) -> Error {
        self.error
    }

    /// The user may not do this.
    pub(super) fn is_forbidden(&self) -> bool {
        const PERMISSION_DENIED: u32 = 7;
        self.code == Some(PERMISSION_DENIED)
    }

    /// Not the request is refused, but the token: it has ended, or was given before a user or a role was changed.
    fn is_stale_token(&self) -> bool {
        self.is_stale_token
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, code: None, is_stale_token: false }
    }
}
