//! From a request's body to an input.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt as _;

use super::form::FormValue;
use super::{RawInput, multipart};
use crate::code::ErrorCode;
use crate::error::{ActionError, Result};

/// How large a body may be unless it is said otherwise, in bytes: Astro's limit.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Reads a body of at most `limit` bytes, whether or not it declared its length.
///
/// # Errors
/// [`ErrorCode::ContentTooLarge`] for a body over the limit, [`ErrorCode::UnsupportedMediaType`] for one that is
/// neither JSON nor a form, and [`ErrorCode::BadRequest`] for one that broke off or is not what it says it is.
pub async fn read<E>(
    content_type: Option<&str>,
    declared_length: Option<u64>,
    limit: usize,
    body: impl Stream<Item = std::result::Result<Bytes, E>>,
) -> Result<RawInput>
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    // As in Astro: without a type there is no input, whatever the body is.
    let Some(content_type) = content_type else { return Ok(RawInput::Undefined) };
    if declared_length.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => {
            let body = collect(body, limit).await?;
            let text = body
                .strip_prefix(multipart::BYTE_ORDER_MARK)
                .map_or_else(|| body.clone(), |text| body.slice_ref(text));
            Ok(if text.is_empty() { RawInput::Undefined } else { RawInput::Json(text) })
        }
        "application/x-www-form-urlencoded" => {
            let body = collect(body, limit).await?;
            // What `new URLSearchParams(text)` does: a question mark may come before the first field.
            let text = String::from_utf8_lossy(&body);
            let text = text.strip_prefix('?').unwrap_or(&text);
            let pairs = form_urlencoded::parse(text.as_bytes());
            Ok(RawInput::Form(
                pairs.map(|(name, value)| (name, FormValue::Text(value.into()))).collect(),
            ))
        }
        "multipart/form-data" => {
            let boundary = multipart::boundary(content_type).ok_or_else(unsupported)?;
            let body = collect(body, limit).await?;
            multipart::parse(&body, &boundary).map(RawInput::Form).ok_or_else(malformed)
        }
        _ => Err(unsupported()),
    }
}

async fn collect<E>(
    body: impl Stream<Item = std::result::Result<Bytes, E>>,
    limit: usize,
) -> Result<Bytes>
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            ActionError::new(ErrorCode::BadRequest, "The request's body broke off.")
                .with_source(error)
        })?;
        if whole.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> ActionError {
    ActionError::new(ErrorCode::ContentTooLarge, format!("Request body exceeds {limit} bytes"))
}

fn unsupported() -> ActionError {
    ActionError::new(ErrorCode::UnsupportedMediaType, "")
}

fn malformed() -> ActionError {
    ActionError::new(ErrorCode::BadRequest, "The form cannot be read.")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    async fn read_all(content_type: &str, chunks: &[&str]) -> Result<RawInput> {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk.to_string())))
            .collect();
        read(Some(content_type), None, 200, stream::iter(chunks)).await
    }

    fn fields(input: RawInput) -> Vec<(String, String)> {
        let form = input.form().unwrap().clone();
        form.iter().map(|(name, value)| (name.to_owned(), format!("{value:?}"))).collect()
    }

    #[tokio::test]
    async fn json_is_kept_as_it_is_and_an_empty_text_is_undefined() {
        let RawInput::Json(text) =
            read_all("Application/JSON; charset=utf-8", &["{\"a\"", ":1}"]).await.unwrap()
        else {
            panic!("not JSON");
        };
        assert_eq!(text, r#"{"a":1}"#);
        for nothing in [&[][..], &[""], &["\u{feff}"]] {
            let input = read_all("application/json", nothing).await.unwrap();
            assert!(matches!(input, RawInput::Undefined));
        }
    }

    #[tokio::test]
    async fn forms_of_both_kinds_are_fields_in_order() {
        let input =
            read_all("application/x-www-form-urlencoded", &["b=1+2&a=%C3%A4&b="]).await.unwrap();
        assert_eq!(
            fields(input),
            [("b", "Text(\"1 2\")"), ("a", "Text(\"ä\")"), ("b", "Text(\"\")")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );

        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nä\r\n--x\r\n\
                    Content-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nfile\r\n--x--\r\n";
        let input = read_all("multipart/form-data; boundary=x", &[body]).await.unwrap();
        let form = input.form().unwrap();
        assert_eq!(form.text("a"), Some("ä"));
        let Some(FormValue::File(file)) = form.get("f") else { panic!("no file") };
        assert_eq!((file.name.as_str(), &file.bytes[..]), ("f.txt", &b"file"[..]));
        assert_eq!(file.content_type.as_deref(), Some("text/plain"));
    }

    #[tokio::test]
    async fn the_limit_holds_for_declared_and_for_streamed_bytes() {
        let long = "x".repeat(101);
        let error = read_all("application/json", &[&long, &long]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ContentTooLarge);
        assert_eq!(error.message(), "Request body exceeds 200 bytes");
        // Not even looked at.
        let body = stream::pending::<std::result::Result<Bytes, Infallible>>();
        let error = read(Some("application/json"), Some(201), 200, body).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ContentTooLarge);
    }

    #[tokio::test]
    async fn other_types_are_refused_and_no_type_is_no_input() {
        for other in ["text/plain", "multipart/form-data", ""] {
            let error = read_all(other, &["x"]).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::UnsupportedMediaType, "{other}");
        }
        let body = stream::pending::<std::result::Result<Bytes, Infallible>>();
        assert!(matches!(read(None, None, 200, body).await, Ok(RawInput::Undefined)));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_bad_request() {
        let error = read_all("multipart/form-data; boundary=x", &["--x\r\nContent-Disp"])
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest);
        let body = stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        let error = read(Some("application/json"), None, 200, body).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest);
    }
}
