//! What it costs to know whose a session is, and to keep secrets from who has the store.

mod at_rest;
mod site;

use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::runtime::{Builder, Runtime};

use crate::served::process;
use figures::comparison::Comparison;
use figures::comparison::Unit::{Microseconds, Milliseconds, Nanoseconds};
use figures::measure::{Series, Settings, Side, all_in_turn, side_by_side};
use site::Site;

/// A sign-in takes twice the calls of `regenerate`: two more to the index.
const TWICE: f64 = 0.5;

/// Visitors of one sample.
const VISITORS: usize = 50;

/// How many sessions are listed, and how many are ended at once.
const LISTED: usize = 3;
const MANY: [(usize, &str); 2] = [(1_000, "1,000"), (10_000, "10,000")];

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let (_server, port) = process::redis(folder.path())?;
    let memory = runtime.block_on(Site::open("memory", &[]))?;
    let url = format!("redis://127.0.0.1:{port}");
    let redis = runtime.block_on(Site::open("redis", &[("url", url.into())]))?;
    let mut rows = Vec::new();
    rows.push(sign_in("memory", settings, &runtime, &memory)?);
    rows.push(sign_in("redis", settings, &runtime, &redis)?.target(TWICE));
    rows.push(list(settings, &runtime, &redis)?);
    rows.extend(revoke_all(settings, &runtime, &redis)?);
    rows.push(sign_in_as_one_of_many(settings, &runtime, &redis)?);
    rows.extend(at_rest::run(settings, &runtime)?);
    Ok(rows)
}

/// Each time by somebody who had a session before, and none signed in.
fn sign_in(store: &str, settings: &Settings, runtime: &Runtime, site: &Site) -> Result<Comparison> {
    let (mut ours, mut peer) = (0, 0);
    let sides = [
        Side::new("sign_in", move || {
            ours += 1;
            runtime.block_on(
                site.visitors(VISITORS, |number| site.sign_in(format!("visitor {ours} {number}"))),
            )
        }),
        Side::new("regenerate", move || {
            peer += 1;
            runtime.block_on(
                site.visitors(VISITORS, |number| {
                    site.regenerate(format!("visitor {peer} {number}"))
                }),
            )
        }),
    ];
    let [ours, peer] = side_by_side(settings, sides)?;
    Ok(Comparison::new(format!("sign in, {store}"), Nanoseconds, &ours, &peer))
}

/// A principal with a few sessions.
fn list(settings: &Settings, runtime: &Runtime, site: &Site) -> Result<Comparison> {
    runtime.block_on(site.fill("of a few", LISTED))?;
    let sides = [Side::new("list", || {
        runtime.block_on(async {
            let begin = Instant::now();
            for _ in 0..VISITORS {
                let listed = site.sessions.of("of a few").list().await?;
                ensure!(listed.len() == LISTED, "{} are listed", listed.len());
            }
            Ok(begin.elapsed().as_nanos() as f64 / 1e3 / VISITORS as f64)
        })
    })];
    let [series] = side_by_side(settings, sides)?;
    Ok(Comparison::alone(format!("list {LISTED}, redis"), Microseconds, &series))
}

/// All of a principal's sessions at once.
fn revoke_all(settings: &Settings, runtime: &Runtime, site: &Site) -> Result<Vec<Comparison>> {
    let sizes = if settings.quick { &MANY[..1] } else { &MANY };
    let sides = sizes.iter().map(|(count, name)| {
        Side::new(name, move || {
            runtime.block_on(async {
                site.fill("of many", *count).await?;
                let begin = Instant::now();
                let ended = site.sessions.of("of many").revoke_all().await?;
                ensure!(ended == *count, "{ended} were ended");
                Ok(begin.elapsed().as_nanos() as f64 / 1e6)
            })
        })
    });
    // Each fills the store anew, which takes much longer than what is measured.
    let few = Settings { quick: true, root: settings.root.clone() };
    let series = all_in_turn(&few, sides.collect())?;
    let row = |series: &Series| {
        let name = format!("revoke_all of {}, redis", series.name);
        Comparison::alone(name, Milliseconds, series)
    };
    Ok(series.iter().map(row).collect())
}

/// A sign-in where the principal has a page of sessions already, or many.
fn sign_in_as_one_of_many(
    settings: &Settings,
    runtime: &Runtime,
    site: &Site,
) -> Result<Comparison> {
    let (count, name) = if settings.quick { MANY[0] } else { MANY[1] };
    runtime.block_on(site.fill("one of many", count))?;
    let mut turn = 0;
    let sides = [
        Side::new("one of many", || {
            runtime.block_on(site.visitors(VISITORS, |_| site.sign_in("one of many".to_owned())))
        }),
        Side::new("the first of a principal", move || {
            turn += 1;
            runtime.block_on(
                site.visitors(VISITORS, |number| site.sign_in(format!("another {turn} {number}"))),
            )
        }),
    ];
    let [ours, peer] = side_by_side(settings, sides)?;
    Ok(Comparison::new(format!("sign in beside {name}, redis"), Nanoseconds, &ours, &peer))
}
