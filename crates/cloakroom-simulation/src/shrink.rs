//! Makes a failing history smaller, for as long as it still fails.

use crate::checks::check;
use crate::history::{History, Operation, Site, Versions};
use crate::run::run;

/// So many schedules are tried for a smaller history, since what it leaves out changes the order of what stays.
const SCHEDULES: u64 = 6;

/// The smallest history found that breaks the promise of this name.
pub fn shrink(history: &History, name: &str) -> History {
    let mut smallest = history.clone();
    loop {
        let Some(smaller) = step(&smallest, name) else { return smallest };
        smallest = smaller;
    }
}

fn step(history: &History, name: &str) -> Option<History> {
    candidates(history).into_iter().find_map(|candidate| still_fails(candidate, name))
}

fn still_fails(mut candidate: History, name: &str) -> Option<History> {
    let schedule = candidate.schedule;
    for other in 0..SCHEDULES {
        candidate.schedule = schedule.wrapping_add(other);
        if check(&run(&candidate)).iter().any(|violation| violation.check == name) {
            return Some(candidate);
        }
    }
    None
}

/// Everything that is a little less, the largest steps first.
fn candidates(history: &History) -> Vec<History> {
    let mut smaller = Vec::new();
    let mut add = |change: &dyn Fn(&mut History)| {
        let mut candidate = history.clone();
        change(&mut candidate);
        if candidate != *history {
            smaller.push(candidate);
        }
    };
    for place in 0..history.requests.len() {
        add(&|history| without_request(history, place));
    }
    add(&|history| history.deaths.clear());
    for place in 0..history.faults.len() {
        add(&|history| _ = history.faults.remove(place));
    }
    for place in 0..history.requests.len() {
        let program = history.requests[place].program.len();
        add(&|history| history.requests[place].body = None);
        add(&|history| history.requests[place].gone = None);
        for operation in 0..program {
            add(&|history| drop(history.requests[place].program.remove(operation)));
            add(&|history| flatten(&mut history.requests[place].program, operation));
        }
        let body = history.requests[place].body.as_ref().map_or(0, Vec::len);
        for operation in 0..body {
            add(&|history| {
                history.requests[place]
                    .body
                    .iter_mut()
                    .for_each(|body| drop(body.remove(operation)));
            });
        }
        for operation in 0..program {
            let inner = history.requests[place].program[operation].inner().map_or(0, Vec::len);
            for within in 0..inner {
                add(&|history| {
                    let inner = history.requests[place].program[operation].inner_mut();
                    inner.into_iter().for_each(|inner| drop(inner.remove(within)));
                });
            }
        }
        add(&|history| history.requests[place].machine = 0);
        add(&|history| history.requests[place].site = Site::Cloakroom);
    }
    add(&|history| history.setup.skews.fill(0));
    add(&|history| history.setup.is_wrapped = false);
    add(&|history| history.setup.absolute = None);
    add(&|history| history.setup.idle = None);
    add(&|history| history.setup.ttl = None);
    add(&|history| history.setup.max_age = None);
    add(&|history| history.setup.versions = Versions::Counter);
    add(&|history| history.setup.compares = true);
    add(&|history| history.setup.expires = true);
    smaller
}

/// Leaves a request out, and what is counted by its number.
fn without_request(history: &mut History, place: usize) {
    history.requests.remove(place);
    history.faults.retain(|fault| fault.request != place);
    for fault in &mut history.faults {
        if fault.request > place {
            fault.request -= 1;
        }
    }
}

/// Does what a task does in the handler itself.
fn flatten(program: &mut Vec<Operation>, place: usize) {
    if let Operation::Spawn(inner) = &program[place] {
        let inner = inner.clone();
        program.splice(place..=place, inner);
    }
}
