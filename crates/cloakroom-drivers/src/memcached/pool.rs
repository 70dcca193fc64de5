//! The connections to a server, each used by one call at a time.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::NAME;
use super::connection::{Answer, Connection, Request};
use crate::common::advice::without_tls;
use cloakroom_storage::{Advice, Error, ErrorKind, Result, options};

/// As many connections as there may be: what more calls wait for.
const CONNECTIONS: usize = 32;

pub(super) struct Pool {
    address: String,
    credentials: Option<String>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    largest_item: OnceLock<usize>,
}

/// A connection that is in use.
struct Taken<'a> {
    connection: Connection,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(address: String, credentials: Option<String>) -> Pool {
        Pool {
            address,
            credentials,
            idle: Mutex::default(),
            permits: Semaphore::new(CONNECTIONS),
            largest_item: OnceLock::new(),
        }
    }

    /// What is unsafe on the way there: the protocol has no TLS here.
    pub(super) fn advice(&self) -> Option<Advice> {
        let (host, _) = self.address.rsplit_once(':')?;
        without_tls(host, "lead it through a tunnel that encrypts, or take a store that has TLS")
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call(&self, request: Request<'_>) -> Result<Answer> {
        let mut taken = self.take().await?;
        let answer = taken.connection.call(request).await?;
        self.put_back(taken);
        Ok(answer)
    }

    /// The largest item in bytes, its key and what memcached adds included; asked once.
    pub(super) async fn largest_item(&self) -> Result<usize> {
        if let Some(largest) = self.largest_item.get() {
            return Ok(*largest);
        }
        let mut taken = self.take().await?;
        let largest = taken.connection.largest_item().await?;
        self.put_back(taken);
        Ok(*self.largest_item.get_or_init(|| largest))
    }

    async fn take(&self) -> Result<Taken<'_>> {
        let permit = self.permits.acquire().await.map_err(|closed| {
            Error::new(ErrorKind::Cancelled, "the driver is closed").with_source(closed)
        })?;
        let connection = match self.idle() {
            Some(connection) => connection,
            None => Connection::open(&self.address, self.credentials.as_deref())
                .await
                .map_err(|error| error.with_unapplied(true))?,
        };
        Ok(Taken { connection, _permit: permit })
    }

    /// Keeps a connection whose answer came whole: one whose call was dropped or failed would give the answer to the
    /// next.
    fn put_back(&self, taken: Taken<'_>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(taken.connection);
    }

    /// The connection that was used last, of those that the server has not closed since.
    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The host and the port of a URL.
pub(super) fn address(url: &str) -> Result<String> {
    const DEFAULT_PORT: u16 = 11211;
    let rest = url.strip_prefix("memcached://").unwrap_or(url);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (rest, Some(DEFAULT_PORT)),
    };
    match port {
        Some(port) if !host.is_empty() && !host.contains(['/', '@', '?', ',', ' ']) => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err(options::invalid(
            NAME,
            "option `url` must be the address of one server, as in `memcached://localhost:11211`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_to_another_machine_is_open_to_those_on_it() {
        let code = |url| {
            let advice = Pool::new(address(url).expect(url), None).advice();
            advice.map(|advice| advice.code())
        };
        assert_eq!(["cache.example", "[fd00::1]:5"].map(code), [Some("no-tls"); 2]);
        assert_eq!(["localhost", "[::1]"].map(code), [None; 2]);
    }

    #[test]
    fn an_address_is_a_host_with_or_without_a_port() {
        for (url, expected) in [
            ("memcached://localhost:11212/", "localhost:11212"),
            ("memcached://cache", "cache:11211"),
            ("cache:1", "cache:1"),
            ("[::1]", "[::1]:11211"),
            ("memcached://[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(address(url).expect(url), expected);
        }
        for url in ["", "redis://localhost", "a:b@localhost", "one:1,other:1", "cache:99999"] {
            let error = address(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        }
    }
}
