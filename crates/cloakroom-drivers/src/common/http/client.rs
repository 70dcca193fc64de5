//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::sync::Semaphore;

use cloakroom_storage::{Error, ErrorKind, Result};

/// A request as a driver makes it.
pub(crate) type Request = http::Request<Bytes>;

/// An answer that has arrived whole.
pub(crate) type Response = http::Response<Bytes>;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer may pause. The deadline of a call is shorter; this one ends the work that it left behind.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection is kept for the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many requests are under way at once, each on a connection of its own; others wait for one that is open already. A
/// burst of requests would meet a server with as many new connections, more than it takes in before they give up.
const AT_ONCE: usize = 64;

/// The longest answer that is read: more than the largest session, or the longest page of a list.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Sends the requests of one driver, over connections that it keeps.
#[derive(Clone)]
pub(crate) struct Client {
    driver: &'static str,
    client: reqwest::Client,
    turns: Arc<Semaphore>,
}

impl Client {
    /// A client that verifies servers as the operating system does, and follows no redirects: what is meant for a store
    /// is for nobody else.
    pub(crate) fn new(driver: &'static str) -> Result<Client> {
        let provider = Arc::new(ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier())
            .map_err(|error| unusable(driver, error))?
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            // Which call may be tried again, and how often, is not the client's to decide.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| unusable(driver, error))?;
        Ok(Client { driver, client, turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Sends the request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer, or none that can be read.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let request =
            request.try_into().map_err(|error: reqwest::Error| unusable(self.driver, error))?;
        // Nobody ends the turns, so that there is always one to come.
        let _turn = self.turns.acquire().await.ok();
        let mut answer = self.client.execute(request).await.map_err(|error| self.lost(error))?;
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + part.len() > LONGEST_ANSWER {
                let message = format!("the store's answer is longer than {LONGEST_ANSWER} bytes");
                return Err(Error::new(ErrorKind::TooLarge, message).with_driver(self.driver));
            }
            // Seldom more than one part, which needs no copy then.
            body.extend_from_slice(&part);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    /// There was no answer. The URL has the key, and perhaps a password, so it is left out.
    fn lost(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let (kind, message) = match () {
            () if error.is_connect() => (
                ErrorKind::Unavailable,
                "the store cannot be reached; is its address right, and is it up?",
            ),
            () if error.is_timeout() => (ErrorKind::Timeout, "the store did not answer in time"),
            () => (ErrorKind::Unavailable, "the connection to the store was lost"),
        };
        Error::new(kind, message)
            .with_driver(self.driver)
            .with_unapplied(error.is_connect())
            .with_source(error)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("driver", &self.driver).finish_non_exhaustive()
    }
}

fn unusable(driver: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Other, "no HTTP request can be made")
        .with_driver(driver)
        .with_unapplied(true)
        .with_source(error)
}
