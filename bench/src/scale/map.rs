//! A map that anybody can make, which is what the driver `memory` is measured beside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::store::time;
use super::threads::Timed;
use figures::sessions::{id, is_of, record};
use figures::walk::Walk;

/// What is left of a store where there are no versions, no deadlines and no other shards.
pub(super) struct Map {
    sessions: Arc<Sessions>,
    walk: Walk,
    turn: u32,
}

type Sessions = Mutex<HashMap<Box<str>, Arc<[u8]>>>;

impl Map {
    pub(super) const NAME: &str = "a HashMap in a Mutex";

    pub(super) fn filled(count: usize) -> Map {
        let sessions =
            (0..count).map(|number| (id(number).into(), record(number, 0).as_bytes().into()));
        let sessions = Arc::new(Mutex::new(sessions.collect()));
        Map { sessions, walk: Walk::new(count), turn: 0 }
    }

    /// The same twice, for two threads that never change the same session.
    pub(super) fn apart(&self, count: usize) -> [Map; 2] {
        let Map { sessions, turn, .. } = self;
        Walk::apart(count).map(|walk| Map { sessions: Arc::clone(sessions), walk, turn: *turn })
    }
}

impl Timed for Map {
    async fn read(&mut self, sample: Duration) -> Result<f64> {
        let Map { sessions, walk, .. } = self;
        let prepare = |number| Ok(id(number));
        time(sample, walk, prepare, async |number, id| {
            let record =
                lock(sessions).get(id.as_str()).cloned().context("a session is missing")?;
            ensure!(is_of(number, &record), "session {number} is another one");
            Ok(())
        })
        .await
    }

    async fn change(&mut self, sample: Duration) -> Result<f64> {
        self.turn += 1;
        let Map { sessions, walk, turn } = self;
        let prepare = |number| Ok((id(number), record(number, *turn)));
        time(sample, walk, prepare, async |number, (id, value)| {
            let record =
                lock(sessions).get(id.as_str()).cloned().context("a session is missing")?;
            ensure!(is_of(number, &record), "session {number} is another one");
            lock(sessions).insert(id.into(), value.as_bytes().into());
            Ok(())
        })
        .await
    }
}

fn lock<T>(sessions: &Mutex<T>) -> MutexGuard<'_, T> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}
