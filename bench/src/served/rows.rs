//! Which of what was measured is beside which.

use anyhow::{Context as _, Result};

use super::measured::{Candidate, Count, Measured, of};
use super::{
    ADD, ADD_BY_SET, ASTRO_FILES, ASTRO_REDIS, BARE, CLIENT, CLIENT_VALKEY, FILES, GET, MEMORY,
    REDIS, SYNCED, TOWER_SESSIONS, TOWER_SESSIONS_REDIS, VALKEY,
};
use figures::comparison::{
    Comparison,
    Unit::{Allocations, Bytes, Commands, Megabytes, Microseconds, RequestsPerSecond, Switches},
};
use figures::measure::Series;

/// What resident memory may come to, in megabytes.
const MEMORY_LIMIT: f64 = 10.0;

/// What sessions in memory may take of the processor above axum alone, in microseconds: to read, and to change.
const ABOVE_AXUM: [f64; 2] = [1.0, 2.5];

/// What a change may take of the processor that Redis has, in microseconds, where it compares by itself.
const REDIS_LIMIT: f64 = 5.0;

/// How much of the processor a request may take beside the same commands without sessions.
const BESIDE_CLIENT: f64 = 1.0 / 1.15;

/// And beside tower-sessions.
const BESIDE_TOWER_SESSIONS: f64 = 1.0 / 0.65;

type Targets = [Option<f64>; 2];

/// What a series is of, and which way is better.
type Figure = fn(&Measured) -> &Series;

struct Rows<'a> {
    measured: &'a [Measured],
    rows: Vec<Comparison>,
}

pub(super) fn all(
    measured: &[Measured],
    candidates: &[Candidate<'_>],
    disk: &Series,
) -> Result<Vec<Comparison>> {
    let mut rows = Rows { measured, rows: Vec::new() };
    rows.rates(disk)?;
    rows.processor()?;
    rows.stores()?;
    rows.switches()?;
    rows.allocations()?;
    rows.wire()?;
    rows.memory(candidates)?;
    Ok(rows.rows)
}

impl Rows<'_> {
    fn of(&self, server: &str, path: &str) -> Result<&Measured> {
        of(self.measured, server, path)
    }

    fn push(&mut self, row: Comparison, target: Option<f64>) {
        self.rows.push(match target {
            Some(target) => row.target(target),
            None => row,
        });
    }

    /// A read and a change, beside those of another.
    fn pair(
        &mut self,
        (what, unit, figure): (&str, figures::comparison::Unit, Figure),
        store: &str,
        [ours, peer]: [&str; 2],
        targets: Targets,
    ) -> Result<()> {
        for ((method, path), target) in [GET, ADD].into_iter().zip(targets) {
            let name = format!("{what}{method} {path}, {store}");
            let [ours, peer] = [self.of(ours, path)?, self.of(peer, path)?];
            let row = Comparison::new(name, unit, figure(ours), figure(peer));
            self.push(row, target);
        }
        Ok(())
    }

    fn rates(&mut self, disk: &Series) -> Result<()> {
        let rate = ("", RequestsPerSecond, (|one| &one.rate) as Figure);
        self.pair(rate, "memory", [MEMORY, BARE], [Some(0.85), Some(0.75)])?;
        self.pair(rate, "memory", [MEMORY, TOWER_SESSIONS], [None, None])?;
        self.pair(rate, "redis", [REDIS, CLIENT], [Some(0.9), Some(0.9)])?;
        self.pair(rate, "redis on Valkey", [VALKEY, CLIENT_VALKEY], [Some(0.9), Some(0.9)])?;
        self.pair(rate, "redis", [REDIS, TOWER_SESSIONS_REDIS], [Some(1.5), Some(1.5)])?;
        self.pair(rate, "redis", [REDIS, ASTRO_REDIS], [Some(15.0), Some(15.0)])?;
        self.pair(rate, "fs-lite", [FILES, ASTRO_FILES], [Some(15.0), Some(8.0)])?;
        let synced = &self.of(SYNCED, ADD.1)?.rate;
        let name = "POST /add, fs-lite with sync";
        self.push(Comparison::new(name, RequestsPerSecond, synced, disk), None);
        for (store, ours) in [("memory", MEMORY), ("redis", REDIS), ("fs-lite", FILES)] {
            let name = format!("POST, {store}: get and set beside update");
            let update = Series { name: "update".to_owned(), ..self.of(ours, ADD.1)?.rate.clone() };
            let by_set = &self.of(ours, ADD_BY_SET.1)?.rate;
            self.push(Comparison::new(name, RequestsPerSecond, by_set, &update), None);
        }
        Ok(())
    }

    /// The load and the store share the other core, so that a rate tells less than what a request takes of the server's own.
    fn processor(&mut self) -> Result<()> {
        for ((method, path), limit) in [GET, ADD].into_iter().zip(ABOVE_AXUM) {
            let bare = self.of(BARE, path)?.taken(Count::Used);
            let ours = self.of(MEMORY, path)?.taken(Count::Used).above(bare);
            let peer = self.of(TOWER_SESSIONS, path)?.taken(Count::Used).above(bare);
            let name = format!("processor's time above axum, {method} {path}, memory");
            self.push(Comparison::limit(&name, Microseconds, &ours, limit), None);
            self.push(Comparison::new(name, Microseconds, &ours, &peer), None);
        }
        let used = ("processor's time, ", Microseconds, (|one| one.taken(Count::Used)) as Figure);
        let client = [Some(BESIDE_CLIENT); 2];
        self.pair(used, "memory", [MEMORY, BARE], [None, None])?;
        self.pair(used, "redis", [REDIS, CLIENT], client)?;
        self.pair(used, "redis on Valkey", [VALKEY, CLIENT_VALKEY], client)?;
        let beside = [Some(BESIDE_TOWER_SESSIONS); 2];
        self.pair(used, "redis", [REDIS, TOWER_SESSIONS_REDIS], beside)?;
        self.pair(used, "redis", [REDIS, ASTRO_REDIS], [None, None])?;
        self.pair(used, "fs-lite", [FILES, ASTRO_FILES], [None, None])
    }

    fn stores(&mut self) -> Result<()> {
        let used =
            ("Redis's own time, ", Microseconds, (|one| one.taken(Count::UsedByStore)) as Figure);
        self.pair(used, "redis", [REDIS, CLIENT], [None, None])?;
        self.pair(used, "redis", [REDIS, TOWER_SESSIONS_REDIS], [None, None])?;
        self.pair(used, "redis on Valkey", [VALKEY, CLIENT_VALKEY], [None, None])?;
        let native = self.of(VALKEY, ADD.1)?.taken(Count::UsedByStore);
        let name = "Redis's own time, POST /add, redis on Valkey";
        self.push(Comparison::limit(name, Microseconds, native, REDIS_LIMIT), None);
        Ok(())
    }

    fn switches(&mut self) -> Result<()> {
        let switches =
            ("context switches, ", Switches, (|one| one.taken(Count::Switches)) as Figure);
        self.pair(switches, "memory", [MEMORY, BARE], [None, None])?;
        self.pair(switches, "redis", [REDIS, CLIENT], [None, None])?;
        self.pair(switches, "fs-lite", [FILES, ASTRO_FILES], [None, None])
    }

    fn allocations(&mut self) -> Result<()> {
        let figure = (|one| one.taken(Count::Allocations)) as Figure;
        let allocations = ("allocations, ", Allocations, figure);
        self.pair(allocations, "memory", [MEMORY, BARE], [None, None])?;
        self.pair(allocations, "memory", [MEMORY, TOWER_SESSIONS], [None, None])?;
        self.pair(allocations, "redis", [REDIS, CLIENT], [None, None])?;
        self.pair(allocations, "redis", [REDIS, TOWER_SESSIONS_REDIS], [None, None])?;
        self.pair(allocations, "redis on Valkey", [VALKEY, CLIENT_VALKEY], [None, None])?;
        for (method, path) in [GET, ADD] {
            let row = Comparison::alone(
                format!("allocations, {method} {path}, fs-lite"),
                Allocations,
                figure(self.of(FILES, path)?),
            );
            self.push(row, None);
        }
        Ok(())
    }

    /// To the client, and to the store and back.
    fn wire(&mut self) -> Result<()> {
        let answer = ("bytes of an answer, ", Bytes, (|one| &one.answer) as Figure);
        self.pair(answer, "memory", [MEMORY, BARE], [None, None])?;
        self.pair(answer, "memory", [MEMORY, TOWER_SESSIONS], [None, None])?;
        let traffic =
            ("bytes to the store and back, ", Bytes, (|one| one.taken(Count::Traffic)) as Figure);
        let commands =
            ("the store's commands, ", Commands, (|one| one.taken(Count::Commands)) as Figure);
        for figure in [traffic, commands] {
            self.pair(figure, "redis", [REDIS, CLIENT], [None, None])?;
            self.pair(figure, "redis", [REDIS, TOWER_SESSIONS_REDIS], [None, None])?;
            self.pair(figure, "redis", [REDIS, ASTRO_REDIS], [None, None])?;
            self.pair(figure, "redis on Valkey", [VALKEY, CLIENT_VALKEY], [None, None])?;
        }
        Ok(())
    }

    fn memory(&mut self, candidates: &[Candidate<'_>]) -> Result<()> {
        let peak = |name: &str| -> Result<Series> {
            let candidate = candidates.iter().find(|candidate| candidate.name == name);
            let peak = candidate.context("no such server")?.server.peak()?;
            Ok(Series { name: name.to_owned(), samples: vec![peak] })
        };
        for (store, ours, astro) in [
            ("memory", MEMORY, None),
            ("redis", REDIS, Some(ASTRO_REDIS)),
            ("fs-lite", FILES, Some(ASTRO_FILES)),
        ] {
            let name = format!("memory held under load, {store}");
            let row = Comparison::limit(&name, Megabytes, &peak(ours)?, MEMORY_LIMIT);
            self.push(row, None);
            if let Some(astro) = astro {
                self.push(Comparison::new(name, Megabytes, &peak(ours)?, &peak(astro)?), None);
            }
        }
        Ok(())
    }
}
