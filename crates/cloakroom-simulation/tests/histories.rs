//! Histories in the suite: the same seeds each time, and others each time.

#![allow(clippy::panic)] // A helper of tests fails as they do.

use std::time::{Duration, Instant, SystemTime};

use cloakroom_simulation::{generate, report, run};

/// So many seeds are the same each time.
const FIXED: u64 = 2_000;

/// How long each of these tests takes at most.
fn time() -> Duration {
    let is_thorough = std::env::var_os("CI").is_some_and(|value| value == "true");
    Duration::from_secs(if is_thorough { 60 } else { 3 })
}

fn search(seeds: impl Iterator<Item = u64>) -> u64 {
    let began = Instant::now();
    let mut ran = 0;
    for seed in seeds.take_while(|_| began.elapsed() < time()) {
        if let Some(violation) = report::strict_violations(seed).first() {
            panic!("{}\ncargo xtask torture --seed {seed}", report::shrunk(seed, violation));
        }
        ran += 1;
    }
    ran
}

#[test]
fn the_same_histories_each_time_break_no_promise() {
    assert!(search(0..FIXED) > 0);
}

#[test]
fn other_histories_each_time_break_no_promise() {
    let first = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 >> 11;
    println!("seeds from {first}");
    println!("{} histories", search(first..));
}

#[test]
fn a_seed_is_the_same_history_each_time() {
    for seed in 0..200 {
        let history = generate::history(seed);
        let [one, other] = [(); 2].map(|()| run::run(&history));
        assert_eq!(format!("{:?}", one.events), format!("{:?}", other.events), "seed {seed}");
    }
}
