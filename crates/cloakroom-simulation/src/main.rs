//! Runs histories until the time is over, and tells of those that break a promise.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cloakroom_simulation::report;

const USAGE: &str = "\
usage: cloakroom-simulation [--seed S] [--from S] [--histories N] [--seconds T] [--threads N] [--first]
                            [--brief] [--except NAME] [--everything]

  --seed S       runs the history of this seed alone, and shows it
  --from S       begins with this seed, and not with one of its own
  --histories N  ends after so many
  --seconds T    ends after so long; 60 unless said otherwise
  --threads N    as many at once; 2 unless said otherwise
  --first        ends as soon as something is found
  --brief        does not show what is found
  --except NAME  leaves a check out, by its name
  --everything   also asks for what two faults at once can break, as docs/guarantees.md says
";

/// What was asked for.
struct Options {
    seed: Option<u64>,
    from: u64,
    histories: u64,
    seconds: u64,
    threads: u64,
    is_first_enough: bool,
    is_brief: bool,
    except: Vec<String>,
    is_everything: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match options.seed {
        Some(seed) => show(seed),
        None => search(&options),
    }
}

fn options() -> Option<Options> {
    let from =
        std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos() as u64);
    let mut options = Options {
        seed: None,
        // Below 2^53, so that it is easily copied.
        from: from >> 11,
        histories: u64::MAX,
        seconds: 60,
        threads: 2,
        is_first_enough: false,
        is_brief: false,
        except: Vec::new(),
        is_everything: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--everything" {
            options.is_everything = true;
            continue;
        }
        if argument == "--except" {
            options.except.push(arguments.next()?);
            continue;
        }
        let mut number = || arguments.next()?.parse().ok();
        match argument.as_str() {
            "--seed" => options.seed = Some(number()?),
            "--from" => options.from = number()?,
            "--histories" => options.histories = number()?,
            "--seconds" => options.seconds = number()?,
            "--threads" => options.threads = number()?,
            "--first" => options.is_first_enough = true,
            "--brief" => options.is_brief = true,
            _ => return None,
        }
    }
    Some(options)
}

fn show(seed: u64) -> ExitCode {
    println!("{}", report::whole(seed));
    let violations = report::violations(seed);
    for violation in &violations {
        println!("{}", report::shrunk(seed, violation));
    }
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn search(options: &Options) -> ExitCode {
    println!("seeds from {}", options.from);
    let began = Instant::now();
    let (next, ran) = (AtomicU64::new(0), AtomicU64::new(0));
    let found: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::default();
    let work = || {
        while began.elapsed() < Duration::from_secs(options.seconds) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= options.histories {
                break;
            }
            let seed = options.from.wrapping_add(number);
            let mut violations = match options.is_everything {
                true => report::violations(seed),
                false => report::strict_violations(seed),
            };
            violations.retain(|found| options.except.iter().all(|name| name != found.check));
            ran.fetch_add(1, Ordering::Relaxed);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            for violation in violations {
                found.entry(violation.check).or_default().push(seed);
            }
            if options.is_first_enough && !found.is_empty() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(work);
        }
    });
    let (ran, took) = (ran.into_inner(), began.elapsed().as_secs_f64());
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    tell(&found, options.is_brief);
    println!("{ran} histories in {took:.1} s, {:.0} per second", ran as f64 / took);
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(found: &BTreeMap<&str, Vec<u64>>, is_brief: bool) {
    for (check, seeds) in found {
        let some = &seeds[..seeds.len().min(8)];
        println!("FOUND {check}: {} histories, as {some:?}", seeds.len());
        let violation =
            report::violations(seeds[0]).into_iter().find(|found| found.check == *check);
        if let Some(violation) = violation.filter(|_| !is_brief) {
            println!("{}", report::shrunk(seeds[0], &violation));
        }
    }
}
