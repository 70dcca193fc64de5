//! Makes a history from a seed.

use std::time::Duration;

use crate::history::{
    Cookies, Death, Fault, FaultKind, History, Key, Operation, Request, Setup, Site, Versions,
};
use crate::random::Random;

const KEYS: [Key; 3] = [Key(b'a'), Key(b'b'), Key(b'c')];

/// When the requests begin that come after those by which the browsers got their sessions.
const AFTER_FIRST_VISITS: Duration = Duration::from_millis(400);

/// The history of this seed.
pub fn history(seed: u64) -> History {
    let mut random = Random::new(seed);
    let setup = setup(&mut random.split());
    let browsers = random.between(1, 2) as usize;
    let with_astro = random.chance(8);
    let mut requests = Vec::new();
    for browser in 0..browsers {
        if random.chance(80) {
            requests.push(first_visit(browser, &setup, &mut random.split()));
        }
    }
    let first_visits = requests.len();
    // Much happens shortly before and after something expires.
    let late = if random.chance(25) { random.between(0, 6_000) } else { 0 };
    let base = AFTER_FIRST_VISITS + Duration::from_millis(late);
    for _ in 0..random.between(2, 4) {
        let mut request = request(browsers, base, &setup, &mut random.split());
        outlive(&mut request.program, &setup, &mut random.split());
        if with_astro && random.chance(40) {
            request.site = Site::Astro;
        }
        requests.push(request);
    }
    let faults = faults(first_visits, requests.len(), &mut random.split());
    let deaths = deaths(&setup, &mut random.split());
    History { schedule: random.number(), setup, requests, faults, deaths }
}

fn setup(random: &mut Random) -> Setup {
    let machines = random.between(1, 3) as usize;
    let is_skewed = random.chance(15);
    let mut skew = || if is_skewed { random.between(0, 4000) as i64 - 2000 } else { 0 };
    let skews = (0..machines).map(|_| skew()).collect();
    let expires = random.chance(85);
    let seconds = |random: &mut Random, percent, from, to| {
        random.chance(percent).then(|| Duration::from_secs(random.between(from, to)))
    };
    Setup {
        skews,
        compares: random.chance(75),
        versions: random.pick(&[Versions::Counter, Versions::Bytes]),
        expires,
        ttl: seconds(random, 25, 2, 20),
        idle: seconds(random, 30, 3, 8).filter(|_| expires),
        absolute: seconds(random, 12, 5, 20),
        max_age: random.chance(10).then(|| random.between(2, 6)),
        is_wrapped: random.chance(25),
        latency: random.pick(&[500, 5_000, 20_000]),
    }
}

/// How a browser gets a session, before anything else happens to it.
fn first_visit(browser: usize, setup: &Setup, random: &mut Random) -> Request {
    let mut program = vec![set(random.pick(&KEYS), setup, random)];
    if random.chance(50) {
        program.push(set(random.pick(&KEYS), setup, random));
    }
    Request {
        browser,
        machine: random.place(setup.skews.len()),
        start: Duration::ZERO,
        site: Site::Cloakroom,
        cookies: Cookies::None,
        program,
        body: None,
        gone: None,
        answer: Some(Duration::from_millis(10)),
    }
}

fn set(key: Key, setup: &Setup, random: &mut Random) -> Operation {
    // A ttl of an entry has a meaning only where somebody ends it.
    let percent = if setup.idle.is_some() { 50 } else { 25 };
    match random.chance(percent) && setup.expires {
        true => Operation::SetFor(key, Duration::from_millis(random.between(700, 9_000))),
        false => Operation::Set(key),
    }
}

fn request(browsers: usize, base: Duration, setup: &Setup, random: &mut Random) -> Request {
    let after = match random.below(10) {
        0..=6 => random.between(0, 60),
        7..=8 => random.between(0, 400),
        _ => random.between(0, 6_000),
    };
    let cookies = match random.below(20) {
        0 => Cookies::None,
        1 => Cookies::EarlierAndLast,
        _ => Cookies::Last,
    };
    Request {
        browser: random.place(browsers),
        machine: random.place(setup.skews.len()),
        start: base + Duration::from_millis(after),
        site: Site::Cloakroom,
        cookies,
        program: program(setup, random),
        body: random.chance(12).then(|| program(setup, random)),
        gone: random.chance(8).then(|| Duration::from_micros(random.between(1, 60_000))),
        answer: (!random.chance(4)).then(|| Duration::from_micros(random.between(10, 60_000))),
    }
}

fn program(setup: &Setup, random: &mut Random) -> Vec<Operation> {
    (0..random.between(1, 6)).map(|_| operation(setup, random, true)).collect()
}

fn operation(setup: &Setup, random: &mut Random, may_nest: bool) -> Operation {
    let key = random.pick(&KEYS);
    match random.below(100) {
        0..=15 => Operation::Get(key),
        16..=17 => Operation::Has(key),
        18..=20 => Operation::Keys,
        21..=36 => set(key, setup, random),
        37..=39 => Operation::SetSame(key),
        40..=44 => Operation::Delete(key),
        45..=52 => Operation::Update(key),
        53..=54 => Operation::TryUpdate(key),
        55 => Operation::TakeOut(key),
        56 => Operation::Refuse(key),
        57..=58 => Operation::Peek(key),
        59 => Operation::Reload,
        60..=61 if may_nest => Operation::UpdateAround(key, at_once(setup, random)),
        62..=67 => Operation::Save,
        68..=69 => Operation::SaveFor(Duration::from_micros(random.between(1, 30_000))),
        70..=76 => Operation::Regenerate,
        77..=81 => Operation::Destroy,
        82..=84 => Operation::Load(random.place(3)),
        85..=89 if may_nest => Operation::Spawn(task(setup, random)),
        90..=91 => Operation::Pause(Duration::from_millis(random.between(300, 5_000))),
        _ => Operation::Pause(Duration::from_micros(random.between(1, 60_000))),
    }
}

/// Some requests are still at work when what they have loaded ends.
fn outlive(program: &mut Vec<Operation>, setup: &Setup, random: &mut Random) {
    let deadline = [setup.ttl, setup.idle, setup.absolute].into_iter().flatten().min();
    let Some(deadline) = deadline.filter(|_| random.chance(8)) else { return };
    let around = Duration::from_millis(random.between(0, 1_500));
    let pause = (deadline + around).saturating_sub(Duration::from_millis(1_000));
    let last = random.pick(&[Operation::Update, Operation::Set])(random.pick(&KEYS));
    let read = Operation::Get(random.pick(&KEYS));
    let place = random.place(program.len());
    program.splice(place..place, [read, Operation::Pause(pause), last]);
}

fn task(setup: &Setup, random: &mut Random) -> Vec<Operation> {
    (0..random.between(1, 3)).map(|_| operation(setup, random, false)).collect()
}

fn at_once(setup: &Setup, random: &mut Random) -> Vec<Operation> {
    let one = |random: &mut Random| match random.below(3) {
        0 => set(random.pick(&KEYS), setup, random),
        1 => Operation::Destroy,
        _ => Operation::Delete(random.pick(&KEYS)),
    };
    (0..random.between(1, 2)).map(|_| one(random)).collect()
}

fn faults(first_visits: usize, requests: usize, random: &mut Random) -> Vec<Fault> {
    let count = match random.below(10) {
        0..=4 => 0,
        5..=7 => 1,
        _ => random.between(2, 4),
    };
    let time = |random: &mut Random| Duration::from_millis(random.between(20, 900));
    let kind = |random: &mut Random| match random.below(8) {
        0 | 1 => FaultKind::Refused,
        2 => FaultKind::RequestLost,
        3 => FaultKind::RequestBroken,
        4 => FaultKind::AnswerLost,
        5 => FaultKind::AnswerBroken,
        6 => FaultKind::Stall(time(random)),
        _ => FaultKind::Full(time(random)),
    };
    let fault = |random: &mut Random| Fault {
        request: random.between(first_visits as u64, requests as u64 - 1) as usize,
        call: random.below(6) as usize,
        kind: kind(random),
    };
    (0..count).map(|_| fault(random)).collect()
}

fn deaths(setup: &Setup, random: &mut Random) -> Vec<Death> {
    if !random.chance(8) {
        return Vec::new();
    }
    let at = AFTER_FIRST_VISITS + Duration::from_micros(random.between(0, 120_000));
    vec![Death { machine: random.place(setup.skews.len()), at }]
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_seed_gives_the_same_history_again() {
        assert_eq!(super::history(17), super::history(17));
        assert_ne!(super::history(17), super::history(18));
    }
}
