//! The keys, by `SCAN`.

use std::collections::VecDeque;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use redis::cmd;

use super::server::{Failure, Part, Server};
use crate::common::keyspace::{Layout, Recent};
use cloakroom_storage::{ItemKey, Operation, Result};

/// How many keys a server looks at for one answer, unless it is said otherwise. Redis's own 10 make many round trips.
const COUNT: u32 = 1000;

/// A walk through all parts of a store.
struct Scan {
    server: Server,
    layout: Layout,
    pattern: String,
    count: u32,
    /// The parts to go, and how far the walk has come in the first; `None` before it is known what parts there are.
    parts: Option<VecDeque<Part>>,
    cursor: u64,
    seen: Recent,
    found: VecDeque<ItemKey>,
}

pub(super) fn keys(
    server: Server,
    layout: Layout,
    prefix: &str,
    count: Option<u32>,
) -> BoxStream<'static, Result<ItemKey>> {
    let scan = Scan {
        pattern: layout.pattern(prefix),
        server,
        layout,
        count: count.filter(|count| *count > 0).unwrap_or(COUNT),
        parts: None,
        cursor: 0,
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
            let parts = match &mut self.parts {
                Some(parts) => parts,
                parts @ None => parts.insert(self.server.parts().await?.into()),
            };
            let Some(part) = parts.front() else { return Ok(None) };
            let mut command = cmd("SCAN");
            command.arg(self.cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(self.count);
            let answer = self.server.command_to(part, &command).await?;
            let (cursor, keys): (u64, Vec<Vec<u8>>) =
                redis::from_redis_value(answer).map_err(|error| Failure::misread(error.into()))?;
            if cursor == 0 {
                parts.pop_front();
            }
            self.cursor = cursor;
            for key in keys.iter().filter_map(|key| self.layout.item(key)) {
                if self.seen.insert(&key) {
                    self.found.push_back(key);
                }
            }
        }
    }
}
