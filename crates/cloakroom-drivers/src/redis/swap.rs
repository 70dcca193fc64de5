//! Compare and swap: by a command of the server's own where it has one, else by a script.
//!
//! `SET … IFEQ` is known to Redis from 8.4 on and to Valkey from 8.1 on; `DELIFEQ` to Valkey from 9.0 on, and `DELEX … IFEQ` to Redis
//! from 8.4 on. They take the server a tenth of the script's time. A server is not asked what it knows, which not everybody may:
//! it is sent the command, and what it does not know it refuses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use redis::{Cmd, Value as Answer, cmd};

use super::number;
use super::script;
use super::server::{Failure, Server};
use crate::common::keyspace::{Expiry, Replacement, Swapped};

/// A value of so many bytes is compared by the script, which is told its digest: to send it takes longer than to run that.
const LONG: usize = 64 * 1024;

/// How long it is taken for granted that a server does not know a command: by then it may be another server.
const TRUSTED: Duration = Duration::from_secs(10 * 60);

/// The commands, as far as is known whether the server has them.
#[derive(Debug)]
pub(super) struct Swap {
    begun: Instant,
    set: Native,
    delifeq: Native,
    delex: Native,
}

/// Until when a command is not tried again, in seconds since the driver was made.
#[derive(Debug, Default)]
struct Native(AtomicU64);

impl Swap {
    pub(super) fn new() -> Swap {
        let [set, delifeq, delex] = [(); 3].map(|()| Native::default());
        Swap { begun: Instant::now(), set, delifeq, delex }
    }

    /// Writes, if `seen` is what is there; whether it was written.
    pub(super) async fn replace(
        &self,
        server: &Server,
        key: &[u8],
        seen: &Bytes,
        value: &Bytes,
        expiry: Expiry,
    ) -> Result<bool, Failure> {
        // What is over already is removed, which the script does.
        if seen.len() < LONG && expiry != Expiry::After(0) && self.may_try(&self.set) {
            // In one piece: a record is copied as often as the command grows.
            let mut set = Cmd::with_capacity(7, key.len() + value.len() + seen.len() + 32);
            set.arg("SET");
            set.arg(key).arg(&value[..]).arg("IFEQ").arg(&seen[..]);
            if let Expiry::After(milliseconds) = expiry {
                set.arg("PX").arg(milliseconds);
            }
            if let Some(answer) = self.tried(&self.set, server.command(&set).await)? {
                return Ok(answer != Answer::Nil);
            }
        }
        let swapped = by_script(server, key, seen, Replacement::Value(value, expiry)).await?;
        Ok(swapped == Swapped::Done)
    }

    /// Removes, if `seen` is what is there.
    pub(super) async fn remove(
        &self,
        server: &Server,
        key: &[u8],
        seen: &Bytes,
    ) -> Result<Swapped, Failure> {
        let delifeq = || cmd("DELIFEQ").arg(key).arg(&seen[..]).take();
        let delex = || cmd("DELEX").arg(key).arg("IFEQ").arg(&seen[..]).take();
        let commands: [(&Native, &(dyn Fn() -> Cmd + Sync)); 2] =
            [(&self.delifeq, &delifeq), (&self.delex, &delex)];
        for (native, command) in commands {
            if seen.len() >= LONG || !self.may_try(native) {
                continue;
            }
            if let Some(answer) = self.tried(native, server.command(&command()).await)? {
                match number(answer)? {
                    // Nothing is there, or something else: the script tells which.
                    0 => break,
                    _ => return Ok(Swapped::Done),
                }
            }
        }
        by_script(server, key, seen, Replacement::Nothing).await
    }

    fn may_try(&self, native: &Native) -> bool {
        let Native(not_before) = native;
        match not_before.load(Ordering::Relaxed) {
            0 => true,
            seconds => self.begun.elapsed().as_secs() >= seconds,
        }
    }

    /// What the server has answered; `None` where it does not know the command, or does not let us use it.
    fn tried(
        &self,
        Native(not_before): &Native,
        answer: Result<Answer, Failure>,
    ) -> Result<Option<Answer>, Failure> {
        match answer {
            Err(failure) if failure.is_unknown_command() => {
                let until = self.begun.elapsed() + TRUSTED;
                not_before.store(until.as_secs(), Ordering::Relaxed);
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }
}

/// By the script, whose text the server is told if it does not know it.
async fn by_script(
    server: &Server,
    key: &[u8],
    seen: &Bytes,
    replacement: Replacement<'_>,
) -> Result<Swapped, Failure> {
    let answer = match server.command(&script::by_hash(key, seen, replacement)).await {
        Err(failure) if failure.is_unknown_script() => {
            let command = script::by_text(key, seen, replacement);
            // On the heap, lest every call makes room for what happens once.
            Box::pin(server.command(&command)).await?
        }
        answer => answer?,
    };
    Ok(Swapped::read(number(answer)?))
}
