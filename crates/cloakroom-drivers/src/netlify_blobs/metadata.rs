//! An item's deadline, in what Netlify keeps beside a blob.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::common::http::Expiry;
use cloakroom_storage::{Error, ErrorKind, Result};

/// What the API calls it, and what the store behind it does.
const HEADERS: [&str; 2] = ["netlify-blobs-metadata", "x-amz-meta-user"];

const PREFIX: &str = "b64;";

#[derive(Deserialize, Serialize)]
struct Metadata {
    /// In milliseconds since 1970.
    #[serde(rename = "cloakroomExpires")]
    expires: i64,
}

/// Adds the deadline to the headers of a write.
pub(super) fn write(headers: &mut HeaderMap, expiry: Expiry) -> Result<()> {
    let unwritable = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Other, "no header can have the deadline").with_source(error)
    };
    let metadata = serde_json::to_vec(&Metadata { expires: expiry.milliseconds() })
        .map_err(|error| unwritable(error.into()))?;
    let text = format!("{PREFIX}{}", BASE64_STANDARD.encode(metadata));
    let value = HeaderValue::from_str(&text).map_err(|error| unwritable(error.into()))?;
    for name in HEADERS {
        headers.insert(name, value.clone());
    }
    Ok(())
}

/// The deadline out of the headers of an answer. What is not ours is none.
pub(super) fn read(headers: &HeaderMap) -> Option<Expiry> {
    let value = HEADERS.iter().find_map(|name| headers.get(*name))?;
    let encoded = value.to_str().ok()?.strip_prefix(PREFIX)?;
    let metadata = BASE64_STANDARD.decode(encoded).ok()?;
    Expiry::at(serde_json::from_slice::<Metadata>(&metadata).ok()?.expires)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_is_read_as_it_was_written() {
        let expiry = Expiry::after(Some(Duration::from_secs(60))).expect("a deadline");
        let mut headers = HeaderMap::new();
        write(&mut headers, expiry).expect("it is written");
        assert_eq!(read(&headers), Some(expiry));
    }

    #[test]
    fn what_others_keep_there_is_no_deadline() {
        let encoded = |json: &str| format!("b64;{}", BASE64_STANDARD.encode(json));
        for value in
            ["", "b64;", "b64;%", "plain", &encoded("{}"), &encoded(r#"{"cloakroomExpires":"x"}"#)]
        {
            let value = HeaderValue::from_str(value).expect("a header");
            assert_eq!(
                read(&HeaderMap::from_iter([("x-amz-meta-user".parse().unwrap(), value)])),
                None
            );
        }
    }
}
