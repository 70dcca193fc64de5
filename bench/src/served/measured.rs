//! What a server did under load, and what that cost it and its store.

use anyhow::{Context as _, Result};

use super::process::Process;
use super::server::Server;
use super::{ADD, ADD_BY_SET, CONNECTIONS, GET};
use figures::measure::{Series, Settings};

/// A server, and the store that it has for itself while it is measured.
pub(super) struct Candidate<'a> {
    pub(super) name: &'static str,
    pub(super) server: Server,
    pub(super) store: Option<&'a Process>,
}

/// One server asked for one thing, round by round.
pub(super) struct Measured {
    server: &'static str,
    path: &'static str,
    /// Requests in a second.
    pub(super) rate: Series,
    /// The processor's time for a request, in microseconds.
    pub(super) used: Series,
    /// The store's own for a request, in microseconds.
    pub(super) used_by_store: Series,
    /// How often another had the processor for a request.
    pub(super) switches: Series,
}

/// What has been counted until now.
struct Counted {
    used: f64,
    used_by_store: f64,
    switches: f64,
}

impl Candidate<'_> {
    fn counted(&self) -> Result<Counted> {
        Ok(Counted {
            used: self.server.processor_time()?,
            used_by_store: self.store.map_or(Ok(0.0), Process::processor_time)?,
            switches: self.server.switches()?,
        })
    }
}

impl Measured {
    fn new(server: &'static str, path: &'static str) -> Measured {
        let [rate, used, used_by_store, switches] =
            [(); 4].map(|()| Series { name: server.to_owned(), samples: Vec::new() });
        Measured { server, path, rate, used, used_by_store, switches }
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
                let after = candidate.counted()?;
                if round == 0 {
                    all.push(Measured::new(candidate.name, path));
                    continue;
                }
                let is_it = |one: &&mut Measured| one.server == candidate.name && one.path == path;
                let Some(measured) = all.iter_mut().find(is_it) else { continue };
                let for_each = |before: f64, after: f64| (after - before) / load.requests;
                measured.rate.samples.push(load.per_second);
                measured.used.samples.push(for_each(before.used, after.used));
                let used_by_store = for_each(before.used_by_store, after.used_by_store);
                measured.used_by_store.samples.push(used_by_store);
                measured.switches.samples.push(for_each(before.switches, after.switches));
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
