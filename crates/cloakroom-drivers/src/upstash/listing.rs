//! The keys, by `SCAN`.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

use super::command::command;
use super::rest::{Failure, Rest};
use super::tokens::About;
use crate::common::keyspace::{Layout, Recent};
use cloakroom_storage::{ItemKey, Operation, Result};

/// How many keys the server looks at for one answer, unless it is said otherwise.
const COUNT: u32 = 1000;

/// A walk through the store.
struct Scan {
    rest: Arc<Rest>,
    layout: Layout,
    pattern: String,
    count: String,
    /// Where the server goes on; `None` at the end.
    cursor: Option<String>,
    seen: Recent,
    found: VecDeque<ItemKey>,
}

pub(super) fn keys(
    rest: Arc<Rest>,
    layout: Layout,
    prefix: &str,
    count: Option<u32>,
) -> BoxStream<'static, Result<ItemKey>> {
    let scan = Scan {
        pattern: layout.pattern(prefix),
        rest,
        layout,
        count: count.filter(|count| *count > 0).unwrap_or(COUNT).to_string(),
        cursor: Some("0".to_owned()),
        seen: Recent::default(),
        found: VecDeque::new(),
    };
    stream::unfold(Some(scan), async |scan| {
        let mut scan = scan?;
        match scan.next().await {
            Ok(key) => key.map(|key| (Ok(key), Some(scan))),
            // A walk that failed cannot go on where it was.
            Err(failure) => Some((Err(failure.into_error().with_operation(Operation::Keys)), None)),
        }
    })
    .boxed()
}

impl Scan {
    async fn next(&mut self) -> Result<Option<ItemKey>, Failure> {
        loop {
            if let Some(key) = self.found.pop_front() {
                return Ok(Some(key));
            }
            let Some(cursor) = &self.cursor else { return Ok(None) };
            let scan = command(["SCAN", cursor, "MATCH", &self.pattern, "COUNT", &self.count]);
            let answer = self.rest.command(About::Store, &scan).await?;
            let misread = answer.misread("a page of keys");
            let Ok([cursor, keys]) = <[_; 2]>::try_from(answer.list()?) else {
                return Err(misread.into());
            };
            let cursor = cursor.bytes()?.and_then(|text| String::from_utf8(text.into()).ok());
            self.cursor = Some(cursor.ok_or(misread)?).filter(|cursor| cursor != "0");
            for name in keys.list()? {
                let key = name.bytes()?.and_then(|name| self.layout.item(&name));
                if let Some(key) = key.filter(|key| self.seen.insert(key)) {
                    self.found.push_back(key);
                }
            }
        }
    }
}
