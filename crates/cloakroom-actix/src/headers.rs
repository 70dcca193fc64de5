//! actix-web's headers, which are of another version of the crate `http` than all others'.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use cloakroom_session::adapter::ResponseHeaders;
use http::header;

pub(crate) struct Headers<'a>(pub(crate) &'a mut HeaderMap);

impl ResponseHeaders for Headers<'_> {
    fn values(&self, name: header::HeaderName) -> impl Iterator<Item = &str> {
        self.0.get_all(name.as_str()).filter_map(|value| value.to_str().ok())
    }

    fn insert(&mut self, name: header::HeaderName, value: header::HeaderValue) {
        if let Some((name, value)) = converted(&name, &value) {
            self.0.insert(name, value);
        }
    }

    fn append(&mut self, name: header::HeaderName, value: header::HeaderValue) {
        if let Some((name, value)) = converted(&name, &value) {
            self.0.append(name, value);
        }
    }

    fn retain(&mut self, name: header::HeaderName, keep: impl Fn(&[u8]) -> bool) -> bool {
        let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes()) else { return false };
        if self.0.get_all(&name).all(|value| keep(value.as_bytes())) {
            return false;
        }
        for value in self.0.remove(&name).filter(|value| keep(value.as_bytes())) {
            self.0.append(name.clone(), value);
        }
        true
    }
}

/// Both versions allow the same names and values.
fn converted(
    name: &header::HeaderName,
    value: &header::HeaderValue,
) -> Option<(HeaderName, HeaderValue)> {
    let sensitive = value.is_sensitive();
    let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
    let mut value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
    value.set_sensitive(sensitive);
    Some((name, value))
}
