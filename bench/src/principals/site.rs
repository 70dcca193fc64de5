//! A site's sessions, and the requests of its visitors: what a layer does, without HTTP.

use std::time::Instant;

use anyhow::{Context as _, Result};
use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{Config, CookieHeaders, Session, Sessions};
use serde_json::Value;

pub(super) struct Site {
    pub(super) sessions: Sessions,
}

/// The `Cookie` header of a visitor's next request.
type Cookie = String;

impl Site {
    pub(super) async fn open(driver: &str, options: &[(&str, Value)]) -> Result<Site> {
        let mut config = Config::new(driver);
        let named = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        config.options = named.collect();
        Ok(Site { sessions: Sessions::from_config(config).await? })
    }

    /// Nanoseconds of one request each by visitors who have sessions that are nobody's yet.
    pub(super) async fn visitors<Request>(
        &self,
        count: usize,
        request: impl Fn(usize) -> Request,
    ) -> Result<f64>
    where
        Request: AsyncFnOnce(&Session) -> Result<()>,
    {
        let mut visitors = Vec::new();
        for number in 0..count {
            visitors.push((self.visitor().await?, request(number)));
        }
        let begin = Instant::now();
        for (cookie, request) in visitors {
            let session = self.request(&cookie);
            request(&session).await?;
            session.finish().await?;
        }
        Ok(begin.elapsed().as_nanos() as f64 / count as f64)
    }

    /// What logs a visitor in.
    pub(super) fn sign_in(&self, principal: String) -> impl AsyncFnOnce(&Session) -> Result<()> {
        async move |session: &Session| Ok(session.sign_in(principal).await?)
    }

    /// What would log a visitor in if nobody had to know whose sessions there are.
    pub(super) fn regenerate(&self, user: String) -> impl AsyncFnOnce(&Session) -> Result<()> {
        async move |session: &Session| {
            session.set("user", &user)?;
            Ok(session.regenerate().await?)
        }
    }

    /// Signs so many in.
    pub(super) async fn fill(&self, principal: &str, count: usize) -> Result<()> {
        for _ in 0..count {
            let session = self.sessions.session(CookieHeaders::default());
            session.sign_in(principal).await?;
            session.finish().await?;
        }
        Ok(())
    }

    async fn visitor(&self) -> Result<Cookie> {
        let session = self.sessions.session(CookieHeaders::default());
        session.set("cart", &["hat", "scarf"])?;
        let finished = session.finish().await?;
        let cookie = finished.set_cookie.context("a new session has no cookie")?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    fn request(&self, cookie: &str) -> Session {
        self.sessions.session(CookieHeaders::from_iter([cookie.as_bytes()]))
    }
}
