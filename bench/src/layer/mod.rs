//! What a session adds to a request, in this process: no socket, no other task, one stored session of about 2 KB.
//!
//! Each site is measured beside the same site without sessions, and what is compared are the differences.

mod actix_session;
mod allocations;
mod axum_session;
mod ours;
mod site;
mod threads;
mod tower_sessions;

use anyhow::Result;
use tokio::runtime;

use figures::comparison::Comparison;
use figures::comparison::Unit::{Allocations, Nanoseconds};
use figures::measure::{Series, Settings, Side, side_by_side};
use site::{Case, Site};

/// What each case is called, and how much of tower-sessions' cost ours may have.
const CASES: [(Case, &str, f64); 4] = [
    (Case::Untouched, "untouched", 0.15),
    (Case::Read, "read one key", 0.35),
    (Case::Change, "read and set one key", 0.40),
    (Case::Update, "update one key", 0.40),
];

/// How long an untouched session may take, in nanoseconds, and how many allocations it may cost.
const LONGEST: f64 = 60.0;
const MOST_ALLOCATIONS: f64 = 1.0;

/// How many requests are counted together.
const COUNTED: u32 = 100;

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let mut axum = ours::bare(&runtime)?;
    let mut actix = actix_session::bare(&runtime)?;
    let mut ours = ours::around(&runtime)?;
    let mut tower_sessions = tower_sessions::around(&runtime)?;
    let mut axum_session = axum_session::around(&runtime)?;
    let mut actix_session = actix_session::with_sessions(&runtime)?;
    let mut rows = Vec::new();
    for (case, name, share) in CASES {
        let sites = [
            &mut axum,
            &mut ours,
            &mut tower_sessions,
            &mut axum_session,
            &mut actix,
            &mut actix_session,
        ];
        let sides = sites.map(|site| timed(settings, case, site));
        let [axum, ours, tower_sessions, axum_session, actix, actix_session] =
            side_by_side(settings, sides)?;
        let ours = ours.above(&axum);
        let row = |peer: &Series| Comparison::new(name, Nanoseconds, &ours, peer);
        rows.push(row(&tower_sessions.above(&axum)).target(1.0 / share));
        // What nobody has touched costs axum_session two microseconds: to be faster is no target there.
        let beside = row(&axum_session.above(&axum));
        rows.push(if matches!(case, Case::Untouched) { beside } else { beside.target(1.0) });
        rows.push(row(&actix_session.above(&actix)));
    }
    for (case, name, _) in CASES {
        let [axum, ours, tower_sessions] =
            [&mut axum, &mut ours, &mut tower_sessions].map(|site| allocations(case, site));
        let (ours, tower_sessions) = (ours.above(&axum), tower_sessions.above(&axum));
        rows.push(Comparison::new(name, Allocations, &ours, &tower_sessions));
        if matches!(case, Case::Untouched) {
            rows.push(Comparison::limit(name, Allocations, &ours, MOST_ALLOCATIONS));
        }
    }

    rows.extend(beside_the_floor(settings, [&mut axum, &mut ours, &mut ours::handle(&runtime)?])?);

    // A router boxes whatever is layered on its routes, and the body that comes from it: that is in both here.
    let name = "untouched, layered by the router";
    let mut ours = ours::on_routes(&runtime)?;
    let mut tower_sessions = tower_sessions::on_routes(&runtime)?;
    let sites = [&mut axum, &mut ours, &mut tower_sessions];
    let sides = sites.map(|site| timed(settings, Case::Untouched, site));
    let [axum, ours, tower_sessions] = side_by_side(settings, sides)?;
    rows.push(Comparison::new(name, Nanoseconds, &ours.above(&axum), &tower_sessions.above(&axum)));
    rows.extend(threads::run(settings, &runtime)?);
    Ok(rows)
}

/// What is left out of an untouched session when all but its place in the request is: to put something there that handlers find.
fn beside_the_floor(settings: &Settings, mut sites: [&mut Site<'_>; 3]) -> Result<[Comparison; 3]> {
    let counted = sites.each_mut().map(|site| allocations(Case::Untouched, site));
    let sides = sites.map(|site| timed(settings, Case::Untouched, site));
    let [axum, ours, handle] = side_by_side(settings, sides)?;
    let ours = ours.above(&axum);
    let [axum_allocations, ours_allocations, handle_allocations] = counted;
    Ok([
        Comparison::limit("untouched", Nanoseconds, &ours, LONGEST),
        Comparison::new("untouched", Nanoseconds, &ours, &handle.above(&axum)),
        Comparison::new(
            "untouched",
            Allocations,
            &ours_allocations.above(&axum_allocations),
            &handle_allocations.above(&axum_allocations),
        ),
    ])
}

fn timed<'a>(settings: &Settings, case: Case, site: &'a mut Site<'_>) -> Side<'a> {
    Side::timed(site.name, settings, move || site.call(case))
}

fn allocations(case: Case, site: &mut Site<'_>) -> Series {
    site.call(case);
    let count = allocations::count(|| (0..COUNTED).for_each(|_| site.call(case)));
    Series { name: site.name.to_owned(), samples: vec![count as f64 / f64::from(COUNTED)] }
}
