//! Who is at the other end, and what it can do.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::NAME;
use crate::common::http::Response;
use cloakroom_storage::{Capabilities, Error, ErrorKind, Result, Version};

/// What the other end can do, in words: ours, on each of its answers.
const STORAGE: HeaderName = HeaderName::from_static("cloakroom-storage");

/// The server, as its latest answer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherEnd {
    /// unstorage's server, in JavaScript, which says nothing of itself.
    Unstorage,
    /// `cloakroom serve`, over a store that can do this.
    Cloakroom(Capabilities),
}

impl OtherEnd {
    /// Who answered, where the answer says so. A gateway's tells nothing of what is behind it.
    pub(super) fn of(answer: &Response) -> Option<OtherEnd> {
        let words = answer.headers().get(STORAGE)?.to_str().unwrap_or_default();
        Some(OtherEnd::Cloakroom(capabilities(words)))
    }

    /// Whether this is how unstorage's server refuses a method that it does not know, whichever framework it is within.
    pub(super) fn is_unstorages(answer: &Response, method: &Method) -> bool {
        let said = format!("Method Not Allowed: {method}");
        let body = answer.body();
        answer.status() == StatusCode::METHOD_NOT_ALLOWED
            && body.windows(said.len()).any(|part| part == said.as_bytes())
    }

    pub(super) fn capabilities(self) -> Capabilities {
        match self {
            OtherEnd::Cloakroom(capabilities) => capabilities,
            OtherEnd::Unstorage => Capabilities {
                retains: true,
                iteration: true,
                durable: true,
                shared: true,
                ..Capabilities::none()
            },
        }
    }
}

/// What the server's words say. It sweeps by itself, so that nobody has to do it from here.
fn capabilities(words: &str) -> Capabilities {
    let has = |word| words.split(',').any(|given| given.trim() == word);
    Capabilities {
        retains: true,
        compare_and_swap: has("compare-and-swap"),
        version_per_write: has("version-per-write"),
        expiry: has("expiry"),
        native_ttl: true,
        iteration: has("iteration"),
        durable: has("durable"),
        shared: true,
        read_only: has("read-only"),
        empty_values: has("empty-values"),
        // The server refuses what its store has no room for.
        longest_value: None,
    }
}

/// Whether `unstorage`'s server itself says that an item is missing: others say "not found" of all, but not so.
pub(super) fn is_missing_in_unstorage(answer: &Response) -> bool {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(alias = "status")]
        #[serde(rename = "statusCode")]
        status: u16,
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    // There is no body in the answer to `HEAD`.
    let says_so = |body: &Bytes| {
        body.is_empty()
            || serde_json::from_slice(body).is_ok_and(|Refused { status }| status == 404)
    };
    // `cloakroom serve` may be spoken to like this, too.
    answer.status() == StatusCode::NOT_FOUND
        && (OtherEnd::of(answer).is_some() || (is_json && says_so(answer.body())))
}

/// The version that an answer of `cloakroom serve` tells of.
///
/// A proxy that changes an answer, as one does that compresses it, makes its tag weak (`W/"…"`) or puts something behind it
/// (`"…-gzip"`). The bytes arrive as they were sent all the same, so that the tag is as good as before: it ends with a
/// full stop, and what a proxy added is left out.
pub(super) fn version(answer: &Response) -> Result<Version> {
    let missing = || {
        Error::new(
            ErrorKind::Unavailable,
            "the server's answer has no `ETag` of its own; is a proxy in between that changes it?",
        )
        .with_driver(NAME)
        .with_retryable(false)
    };
    let given = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = given.map(|tag| tag.strip_prefix("W/").unwrap_or(tag));
    let (opaque, _) =
        tag.and_then(|tag| tag.strip_prefix('"')?.rsplit_once('.')).ok_or_else(missing)?;
    Ok(Bytes::from(format!("\"{opaque}.\"")).into())
}

/// Somebody answered, and it was not the server.
pub(super) fn not_the_server(answer: &Response) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}; is the server up?", foreign(answer)))
        .with_driver(NAME)
}

/// The same where it cannot be told what the server is.
pub(super) fn not_a_server(answer: &Response) -> Error {
    let message = format!(
        "{}; is the server up? Where it is unstorage's server behind a gateway that answers OPTIONS itself, say \
         `protocol = \"unstorage\"`",
        foreign(answer)
    );
    Error::new(ErrorKind::Unavailable, message).with_driver(NAME)
}

fn foreign(answer: &Response) -> String {
    format!(
        "something between here and the server answers {} for it, or another server is there now",
        answer.status()
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(status: u16, headers: &[(HeaderName, &'static str)], body: &'static str) -> Response {
        let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
        *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
        for (name, value) in headers {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }

    #[test]
    fn a_server_says_on_each_answer_what_its_store_can_do() {
        for (words, compares, expires) in [
            ("compare-and-swap, expiry", true, true),
            ("missing, compare-and-swap,expiry", true, true),
            ("durable", false, false),
            ("", false, false),
        ] {
            let end = OtherEnd::of(&answer(404, &[(STORAGE, words)], "")).expect("it is said");
            let capabilities = end.capabilities();
            assert_eq!((capabilities.compare_and_swap, capabilities.expiry), (compares, expires));
        }
        assert_eq!(OtherEnd::of(&answer(200, &[(ETAG, "\"n1.\"")], "")), None);
    }

    #[test]
    fn unstorages_server_is_told_from_a_gateway_by_its_words() {
        let is =
            |status, body| OtherEnd::is_unstorages(&answer(status, &[], body), &Method::OPTIONS);
        // h3 1, Nitro, h3 2.
        for body in [
            r#"{"statusCode":405,"statusMessage":"Method Not Allowed: OPTIONS","stack":[]}"#,
            r#"{"error":true,"statusCode":405,"statusMessage":"Method Not Allowed: OPTIONS"}"#,
            r#"{"status":405,"statusText":"Method Not Allowed: OPTIONS"}"#,
        ] {
            assert!(is(405, body), "{body}");
        }
        for body in ["", "405 Not Allowed", r#"{"status":405,"error":"Method Not Allowed"}"#] {
            assert!(!is(405, body), "{body}");
        }
        assert!(!is(404, "Method Not Allowed: OPTIONS"));
    }

    #[test]
    fn what_a_proxy_made_of_a_tag_is_left_out() {
        let of = |tag| version(&answer(200, &[(ETAG, tag)], "")).ok();
        let expected = Some(Version::from(Bytes::from_static(b"\"b-_x.\"")));
        for tag in
            ["\"b-_x.\"", "W/\"b-_x.\"", "\"b-_x.-gzip\"", "\"b-_x.;br\"", "W/\"b-_x.--gzip\""]
        {
            assert_eq!(of(tag), expected, "{tag}");
        }
        for tag in ["\"5f3-264\"", "n1.", ""] {
            assert_eq!(of(tag), None, "{tag}");
        }
    }

    #[test]
    fn not_found_is_unstorages_where_it_looks_so() {
        let json = [(CONTENT_TYPE, "application/json")];
        assert!(is_missing_in_unstorage(&answer(404, &json, r#"{"statusCode":404,"stack":[]}"#)));
        assert!(is_missing_in_unstorage(&answer(404, &json, r#"{"status":404}"#)));
        assert!(is_missing_in_unstorage(&answer(404, &json, "")));
        assert!(!is_missing_in_unstorage(&answer(404, &json, r#"{"message":"no Route matched"}"#)));
        assert!(!is_missing_in_unstorage(&answer(404, &[], "")));
        assert!(!is_missing_in_unstorage(&answer(200, &json, "")));
    }
}
