//! What came back, as a browser sees it.

use http::{HeaderMap, StatusCode, header};

/// What came back, as a browser sees it.
#[derive(Debug)]
pub struct Answer {
    /// The response's status.
    pub status: StatusCode,
    /// The response's headers.
    pub headers: HeaderMap,
    /// The response's text.
    pub text: String,
}

impl Answer {
    /// The values of a header.
    pub fn all(&self, name: header::HeaderName) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// What a browser would send back.
    pub fn cookie(&self) -> Option<String> {
        let cookies = self.all(header::SET_COOKIE);
        Some(cookies.first()?.split(';').next()?.to_owned())
    }

    /// Whether nothing in the headers tells of sessions.
    pub fn says_nothing_of_sessions(&self) -> bool {
        [header::VARY, header::SET_COOKIE, header::CACHE_CONTROL]
            .iter()
            .all(|name| !self.headers.contains_key(name))
    }

    /// Whether the client was told to come back later, and was given nothing.
    pub fn is_refused(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
            && self.headers.contains_key(header::RETRY_AFTER)
            && self.all(header::CACHE_CONTROL) == ["no-store"]
            && !self.headers.contains_key(header::SET_COOKIE)
    }
}
