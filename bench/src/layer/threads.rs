//! Requests of different sessions on two threads at once, beside those on one: whatever they share and write shows there.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use super::ours;
use super::site::{Case, Site};
use figures::comparison::{
    Comparison,
    Unit::{Nanoseconds, RequestsPerSecond},
};
use figures::measure::{Settings, Side, side_by_side};

/// How many times as many requests two threads answer.
const SCALING: f64 = 1.8;

/// How many requests are answered between two looks at the clock.
const BATCH: u32 = 64;

const CASES: [(Case, &str); 2] = [(Case::Read, "read one key"), (Case::Update, "update one key")];

pub(super) fn run(settings: &Settings, runtime: &Runtime) -> Result<Vec<Comparison>> {
    let sessions = ours::sessions(runtime)?;
    let sample = settings.sample();
    let ours = |case, threads| {
        measured(sample, threads, case, |runtime| ours::with(runtime, sessions.clone()))
    };
    // What the machine itself gives comes first: its cores may be busy otherwise.
    let bare = |threads| measured(sample, threads, Case::Read, ours::bare);
    let mut rows = beside_one_thread(settings, "axum alone", bare)?.to_vec();
    for (case, name) in CASES {
        let [answered, used] = beside_one_thread(settings, name, |threads| ours(case, threads))?;
        rows.extend([answered.target(SCALING), used.target(SCALING / 2.0)]);
    }
    Ok(rows)
}

/// How many requests two threads answer, and how long one of these is on a processor, beside what one thread does. The first
/// tells more, where nothing else wants the processors; the second bears company, but knows nothing of waiting for a lock.
fn beside_one_thread(
    settings: &Settings,
    name: &str,
    measured: impl Fn(usize) -> Result<Measured>,
) -> Result<[Comparison; 2]> {
    let name = format!("{name}, two threads");
    let beside = |unit, figure: fn(&Measured) -> f64| -> Result<Comparison> {
        let sides = [("two threads", 2), ("one thread", 1)];
        let measured = &measured;
        let sides = sides.map(|(name, threads)| {
            Side::new(name, move || measured(threads).map(|measured| figure(&measured)))
        });
        let [two, one] = side_by_side(settings, sides)?;
        Ok(Comparison::new(&name, unit, &two, &one))
    };
    let answered = beside(RequestsPerSecond, |measured| measured.per_second)?;
    let used = beside(Nanoseconds, |measured| measured.used)?;
    Ok([answered, used])
}

/// What threads did that have a runtime, a service and a session each.
struct Measured {
    /// Requests in a second, of all of them.
    per_second: f64,
    /// How long a request was on a processor, in nanoseconds.
    used: f64,
}

fn measured(
    sample: Duration,
    threads: usize,
    case: Case,
    site: impl Fn(&Runtime) -> Result<Site<'_>> + Sync,
) -> Result<Measured> {
    let start = Barrier::new(threads);
    let runtime = |_| Builder::new_current_thread().enable_time().build();
    let runtimes = (0..threads).map(runtime).collect::<std::io::Result<Vec<_>>>()?;
    let run = |runtime| {
        let site = site(runtime);
        start.wait();
        let (mut site, used, begin, mut requests) = (site?, used(), Instant::now(), 0);
        while begin.elapsed() < sample {
            (0..BATCH).for_each(|_| site.call(case));
            requests += BATCH;
        }
        let (requests, elapsed) = (f64::from(requests), begin.elapsed().as_secs_f64());
        Ok(Measured { per_second: requests / elapsed, used: (self::used() - used) / requests })
    };
    let all = thread::scope(|scope| {
        let running = runtimes.iter().map(|runtime| scope.spawn(|| run(runtime)));
        let running: Vec<_> = running.collect();
        let all = running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?);
        all.collect::<Result<Vec<Measured>>>()
    })?;
    Ok(Measured {
        per_second: all.iter().map(|one| one.per_second).sum(),
        used: all.iter().map(|one| one.used).sum::<f64>() / threads as f64,
    })
}

/// How long this thread has been on a processor, in nanoseconds.
fn used() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
