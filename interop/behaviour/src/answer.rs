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

    /// The cookies that are set, each as a browser would send it back, in their order.
    pub fn cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        let cookies = cookies.map(|value| String::from_utf8_lossy(value.as_bytes()));
        cookies.map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect()
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
