//! What a server did under load, and what that cost it and its store.

use anyhow::{Context as _, Result};

use super::server::Server;
use super::store::Store;
use super::{ADD, ADD_BY_SET, CONNECTIONS, GET};
use figures::measure::{Series, Settings};

/// A server, and the store that it has for itself while it is measured.
pub(super) struct Candidate<'a> {
    pub(super) name: &'static str,
    pub(super) server: Server,
    pub(super) store: Option<Store<'a>>,
}

/// One server asked for one thing, round by round.
pub(super) struct Measured {
    server: &'static str,
    path: &'static str,
    /// Requests in a second.
    pub(super) rate: Series,
    /// Bytes of an answer.
    pub(super) answer: Series,
    taken: [Series; Count::ALL.len()],
}

/// What a request takes.
#[derive(Clone, Copy)]
pub(super) enum Count {
    /// The processor's time, in microseconds.
    Used,
    /// The store's own, in microseconds.
    UsedByStore,
    /// How often another had the processor.
    Switches,
    /// How often memory was asked for. Servers of Rust alone count it.
    Allocations,
    /// Bytes on the wire to the store and back.
    Traffic,
    /// What the store was told to do, by its scripts as well.
    Commands,
}

impl Count {
    const ALL: [Count; 6] = [
        Count::Used,
        Count::UsedByStore,
        Count::Switches,
        Count::Allocations,
        Count::Traffic,
        Count::Commands,
    ];
}

impl Candidate<'_> {
    /// What has been counted until now, in the order of [`Count::ALL`].
    fn counted(&self) -> Result<[f64; Count::ALL.len()]> {
        let traffic = self.store.map(|store| store.traffic()).transpose()?;
        let allocations =
            if self.name.starts_with("Astro") { 0.0 } else { self.server.allocations()? };
        let used = self.server.processor_time()?;
        let used_by_store = self.store.map_or(Ok(0.0), |store| store.process.processor_time())?;
        let switches = self.server.switches()?;
        Ok(Count::ALL.map(|count| match count {
            Count::Used => used,
            Count::UsedByStore => used_by_store,
            Count::Switches => switches,
            Count::Allocations => allocations,
            Count::Traffic => traffic.as_ref().map_or(0.0, |traffic| traffic.bytes),
            Count::Commands => traffic.as_ref().map_or(0.0, |traffic| traffic.commands),
        }))
    }
}

impl Measured {
    fn new(server: &'static str, path: &'static str) -> Measured {
        let series = || Series { name: server.to_owned(), samples: Vec::new() };
        let taken = Count::ALL.map(|_| series());
        Measured { server, path, rate: series(), answer: series(), taken }
    }

    /// What a request took.
    pub(super) fn taken(&self, count: Count) -> &Series {
        &self.taken[count as usize]
    }
}

/// All of them in turn, round by round. The first round warms them up and is not counted.
pub(super) fn measure(settings: &Settings, candidates: &[Candidate<'_>]) -> Result<Vec<Measured>> {
    let (rounds, seconds) = if settings.quick { (1, 1) } else { (5, 3) };
    let mut all: Vec<Measured> = Vec::new();
    for round in 0..=rounds {
        for candidate in candidates {
            let ours = candidate.name.starts_with("ours");
            for (method, path) in [GET, ADD, ADD_BY_SET] {
                if path == ADD_BY_SET.1 && !ours {
                    continue;
                }
                let before = candidate.counted()?;
                let load = candidate.server.load(seconds, CONNECTIONS, method, path);
                let load = load.with_context(|| candidate.name.to_owned())?;
                let counts = before.into_iter().zip(candidate.counted()?);
                if round == 0 {
                    all.push(Measured::new(candidate.name, path));
                    continue;
                }
                let is_it = |one: &&mut Measured| one.server == candidate.name && one.path == path;
                let Some(measured) = all.iter_mut().find(is_it) else { continue };
                measured.rate.samples.push(load.per_second);
                measured.answer.samples.push(load.bytes / load.requests);
                for (series, (before, after)) in measured.taken.iter_mut().zip(counts) {
                    series.samples.push((after - before) / load.requests);
                }
            }
        }
    }
    Ok(all)
}

/// What was measured of a server, asked for this.
pub(super) fn of<'a>(all: &'a [Measured], server: &str, path: &str) -> Result<&'a Measured> {
    let found = all.iter().find(|one| one.server == server && one.path == path);
    found.with_context(|| format!("{server} was not asked for {path}"))
}
