//! All keys below a base, and their end.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use cloakroom_storage::{DynDriver, Error, ItemKey, Result, When};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::sync::mpsc;

/// How many keys go into one part of an answer, at most.
const PER_PART: usize = 512;

/// How many items are removed at the same time.
const AT_ONCE: usize = 16;

/// The keys as JSON, sent while they are read: a store may have more than fit into memory.
///
/// # Errors
/// When the store fails at once. When it does later, the answer breaks off, so that nobody takes it for whole.
pub(crate) async fn list(driver: DynDriver, prefix: String, hidden: usize) -> Result<Response> {
    let (sender, mut parts) = mpsc::channel::<Result<Bytes>>(2);
    tokio::spawn(async move {
        let mut chunks = driver.keys(&prefix).ready_chunks(PER_PART);
        let mut separator = b'[';
        while let Some(keys) = chunks.next().await {
            let part = part(keys, &mut separator, hidden);
            let failed = part.is_err();
            // Nobody waits for the rest, or there is none.
            if sender.send(part).await.is_err() || failed {
                return;
            }
        }
        let end: &[u8] = if separator == b'[' { b"[]" } else { b"]" };
        _ = sender.send(Ok(Bytes::from_static(end))).await;
    });
    let first = parts.recv().await.transpose()?.unwrap_or_default();
    let rest = stream::unfold(parts, async |mut parts| Some((parts.recv().await?, parts)));
    let body = Body::from_stream(stream::iter([Ok::<_, Error>(first)]).chain(rest));
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], body).into_response())
}

fn part(keys: Vec<Result<ItemKey>>, separator: &mut u8, hidden: usize) -> Result<Bytes> {
    let mut part = BytesMut::new();
    for key in keys {
        let key = key?;
        let shown = key.as_str().get(hidden..).unwrap_or_default().replace(':', "/");
        part.put_u8(std::mem::replace(separator, b','));
        part.put_slice(json!(shown).to_string().as_bytes());
    }
    Ok(part.freeze())
}

/// Removes all items whose keys begin so.
///
/// # Errors
/// When the store fails; what has been removed by then stays so.
pub(crate) async fn clear(driver: &DynDriver, prefix: &str) -> Result<()> {
    let remove = async |key: ItemKey| driver.remove(&key, When::Always).await.map(drop);
    driver.keys(prefix).try_for_each_concurrent(AT_ONCE, remove).await
}
