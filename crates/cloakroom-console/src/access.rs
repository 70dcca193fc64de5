//! Who may look.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::{COOKIE, HeaderMap, HeaderValue, ORIGIN};
use axum::http::request::Parts;
use cloakroom_server::{Token, is_local};
use uuid::Uuid;

/// How the cookie's name begins of who has given the token.
const NAME: &str = "cloakroom-console-";

/// How long it opens the console: a day's work.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// How often the log is told of wrong tokens at most, which whoever can connect may try.
const TOLD: Duration = Duration::from_secs(60);

/// How many browsers are signed in at once.
const MOST: usize = 100;

/// The tokens, and who has given one.
pub(crate) struct Access {
    /// The cookie's: another one for each console, since a browser keeps one jar for all ports of a host.
    name: String,
    tokens: Vec<Token>,
    pub(crate) local_hosts_only: bool,
    signed_in: Mutex<VecDeque<SignedIn>>,
    wrong: Mutex<Wrong>,
}

/// Wrong tokens since the log was told of some.
#[derive(Default)]
struct Wrong {
    told: Option<Instant>,
    count: usize,
}

/// A browser whose cookie is nothing that could be found from the token, nor the token from it.
struct SignedIn {
    cookie: Token,
    until: Instant,
}

impl Default for Access {
    fn default() -> Access {
        let number = Uuid::new_v4().simple().to_string();
        Access {
            name: format!("{NAME}{}", number.get(..8).unwrap_or_default()),
            tokens: Vec::new(),
            local_hosts_only: false,
            signed_in: Mutex::default(),
            wrong: Mutex::default(),
        }
    }
}

impl Access {
    pub(crate) fn add(&mut self, token: &str) {
        self.tokens.push(Token::of(token));
    }

    /// Whether somebody has to sign in at all.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Whether this host may be asked for.
    pub(crate) fn is_for(&self, parts: &Parts) -> bool {
        !self.local_hosts_only || is_local(&parts.uri, &parts.headers)
    }

    /// Whether who sends this may look.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        if !self.has_tokens() {
            return true;
        }
        if Token::borne(headers).is_some_and(|token| token.is_in(&self.tokens)) {
            return true;
        }
        let signed_in = self.lock();
        self.cookies(headers).any(|cookie| signed_in.iter().any(|browser| browser.is(&cookie)))
    }

    /// Signs in who gives the token: the cookie that is to be set, or `None` for a wrong one.
    pub(crate) fn sign_in(&self, token: &str, headers: &HeaderMap) -> Option<HeaderValue> {
        if !Token::of(token.trim()).is_in(&self.tokens) {
            self.warn_of_wrong_token();
            return None;
        }
        let cookie = Uuid::new_v4().simple().to_string();
        let header = self.set_cookie(&cookie, LIFETIME, headers)?;
        let mut signed_in = self.lock();
        signed_in.retain(|browser| browser.until > Instant::now());
        signed_in
            .push_back(SignedIn { cookie: Token::of(cookie), until: Instant::now() + LIFETIME });
        let surplus = signed_in.len().saturating_sub(MOST);
        signed_in.drain(..surplus);
        Some(header)
    }

    /// Signs out who sends this, and takes the cookie away.
    pub(crate) fn sign_out(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut signed_in = self.lock();
        for cookie in self.cookies(headers) {
            signed_in.retain(|browser| !browser.is(&cookie));
        }
        self.set_cookie("", Duration::ZERO, headers)
    }

    /// What browsers send by our cookie's name.
    fn cookies(&self, headers: &HeaderMap) -> impl Iterator<Item = Token> {
        let texts = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let pairs =
            texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| Token::of(value))
    }

    fn set_cookie(
        &self,
        value: &str,
        lifetime: Duration,
        headers: &HeaderMap,
    ) -> Option<HeaderValue> {
        // A browser tells by the origin of the form which scheme it sees, whatever is in between.
        let is_secure =
            headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
        let secure = if is_secure { "; Secure" } else { "" };
        let (name, seconds) = (&self.name, lifetime.as_secs());
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::try_from(cookie).ok()
    }

    fn warn_of_wrong_token(&self) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.count += 1;
        if wrong.told.is_none_or(|told| told.elapsed() >= TOLD) {
            tracing::warn!(count = wrong.count, "somebody has given the console a wrong token");
            *wrong = Wrong { told: Some(Instant::now()), count: 0 };
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SignedIn>> {
        // Nothing panics while it holds this.
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignedIn {
    fn is(&self, cookie: &Token) -> bool {
        cookie.is_in(std::slice::from_ref(&self.cookie)) && self.until > Instant::now()
    }
}

/// Without what is in it.
impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Access").finish_non_exhaustive()
    }
}
