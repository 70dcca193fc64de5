//! Who may do what.

use std::fmt;
use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::refusal::Refusal;

/// The tokens, and what holds for all of them.
#[derive(Debug)]
pub(crate) struct Access {
    writers: Vec<Token>,
    readers: Vec<Token>,
    pub(crate) read_only: bool,
    pub(crate) local_hosts_only: bool,
}

/// What the bearer of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Read,
    Write,
}

/// A token's digest: nothing that is kept here could be presented, and all are of one length.
///
/// ```
/// use cloakroom_server::Token;
///
/// let known = [Token::of("a long random text")];
/// assert!(Token::of("a long random text").is_in(&known));
/// ```
pub struct Token([u8; 32]);

impl Access {
    pub(crate) fn new(read_only: bool) -> Access {
        Access { writers: Vec::new(), readers: Vec::new(), read_only, local_hosts_only: false }
    }

    pub(crate) fn add_writer(&mut self, token: &str) {
        self.writers.push(Token::of(token));
    }

    pub(crate) fn add_reader(&mut self, token: &str) {
        self.readers.push(Token::of(token));
    }

    /// What the sender of a request may do.
    ///
    /// # Errors
    /// When nothing.
    pub(crate) fn permission(&self, uri: &Uri, headers: &HeaderMap) -> Result<Permission, Refusal> {
        if self.local_hosts_only && !is_local(uri, headers) {
            let message = "this server has no token, so it answers to the loopback's names alone, \
                           such as `localhost`; start it with a token to reach it by another one";
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, message));
        }
        let may_write = match self.writers.is_empty() && self.readers.is_empty() {
            true => true,
            false => self.is_writer(headers)?,
        };
        Ok(if may_write && !self.read_only { Permission::Write } else { Permission::Read })
    }

    /// Whether the token is a writer's and no reader's.
    fn is_writer(&self, headers: &HeaderMap) -> Result<bool, Refusal> {
        if let Some(given) = Token::borne(headers) {
            // All are compared, whichever it is.
            let [writer, reader] = [&self.writers, &self.readers].map(|tokens| given.is_in(tokens));
            if writer || reader {
                return Ok(writer);
            }
        }
        let challenge = HeaderValue::from_static("Bearer");
        let message = "this needs a token, as in `Authorization: Bearer TOKEN`";
        Err(Refusal::new(StatusCode::UNAUTHORIZED, message).with(WWW_AUTHENTICATE, challenge))
    }
}

impl Token {
    /// Of the token itself.
    pub fn of(token: impl AsRef<[u8]>) -> Token {
        Token(Sha256::digest(token).into())
    }

    /// The one of a request, in `Authorization: Bearer TOKEN`; the scheme's name is in any case.
    pub fn borne(headers: &HeaderMap) -> Option<Token> {
        let (scheme, token) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| Token::of(token.trim_ascii()))
    }

    /// Whether it is one of these. All are compared, each in constant time.
    pub fn is_in(&self, tokens: &[Token]) -> bool {
        tokens.iter().fold(Choice::from(0), |found, token| found | token.0.ct_eq(&self.0)).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Whether a request is for one of the loopback's names and addresses, by its `Host`.
///
/// A server on the loopback that asks for no token answers to no other: a web page can make a browser of the same machine send
/// requests there, under a name of its own that leads to 127.0.0.1.
pub fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let given = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(authority) = uri.authority().or(given.as_ref()) else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_are_the_names_and_addresses_of_the_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:3999", true),
            ("127.0.0.1:3999", true),
            ("127.9.9.9", true),
            ("[::1]:3999", true),
            ("localhost.example", false),
            ("127.0.0.1.example:3999", false),
            ("192.168.0.1", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert_eq!(is_local(&Uri::from_static("/key"), &headers), expected, "{host}");
        }
        assert!(!is_local(&Uri::from_static("/key"), &HeaderMap::new()));
    }

    #[test]
    fn no_token_is_kept_or_shown() {
        let mut access = Access::new(false);
        access.add_writer("secret");
        assert!(!format!("{access:?}").contains("secret"));
    }
}
