//! The console's pages on a million sessions, while another console walks over them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use cloakroom_console::Console;
use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{Config, CookieHeaders, Sessions};
use cloakroom_storage::DynDriver;
use figures::comparison::{Comparison, Unit::Milliseconds};
use figures::measure::{Series, Settings};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tower::ServiceExt as _;

use crate::scale::files;
use crate::scale::store::{fill, open};
use crate::served::process;

/// Milliseconds that a page may take, at worst.
const MOST: f64 = 200.0;

/// How often each page is asked for, at least, and for how long in all.
const ROUNDS: usize = 100;
const SAMPLE: Duration = Duration::from_secs(10);

/// Whose sessions are looked for.
const PRINCIPAL: &str = "ann";

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let (count, size) = if settings.quick { (10_000, "10,000") } else { (1_000_000, "1,000,000") };
    // As the command has it.
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let target = settings.root.join("bench/target");
    std::fs::create_dir_all(&target)?;
    let folder = TempDir::new_in(target)?;
    let mut rows = Vec::new();
    runtime.block_on(async {
        let (_server, port) = process::redis(folder.path())?;
        let driver = open("redis", &[("url", format!("redis://127.0.0.1:{port}").into())]).await?;
        fill(&driver, 0..count).await?;
        rows.extend(measure(&format!("redis, {size} sessions"), driver).await?);
        anyhow::Ok(())
    })?;
    runtime.block_on(async {
        let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
        let driver = open("sql", &[("url", url.into())]).await?;
        fill(&driver, 0..count).await?;
        rows.extend(measure(&format!("SQLite, {size} sessions"), driver).await?);
        anyhow::Ok(())
    })?;
    runtime.block_on(async {
        let base = folder.path().join("files");
        std::fs::create_dir(&base)?;
        let driver = open("fs-lite", &[("base", base.display().to_string().into())]).await?;
        files::filled(&driver, &base, count).await?;
        rows.extend(measure(&format!("fs-lite, {size} sessions"), driver).await?);
        anyhow::Ok(())
    })?;
    Ok(rows)
}

async fn measure(store: &str, driver: DynDriver) -> Result<Vec<Comparison>> {
    let mut config = Config::default();
    config.sweep_interval = None;
    let sessions = Sessions::with_driver(driver, &config)?;
    for _ in 0..3 {
        let session = sessions.session(CookieHeaders::default());
        session.sign_in(PRINCIPAL).await?;
        session.finish().await?;
    }
    let (app, walk) = walked(&sessions).await?;
    let list = get(&app, "/sessions").await?;
    let one =
        list.split("class=\"handle\" href=\".").nth(1).and_then(|rest| rest.split('"').next());
    let one = one.context("the list has no session")?.to_owned();
    let pages = [
        ("overview", "/".to_owned()),
        ("list", "/sessions".to_owned()),
        ("list by the beginning of a handle", "/sessions?handle=8f3".to_owned()),
        ("session", one),
        ("sessions of a principal", format!("/principal?name={PRINCIPAL}")),
    ];
    let others = sessions.clone();
    let walking = tokio::spawn(async move {
        // One after the other, without a rest between them.
        while walked(&others).await.is_ok() {}
    });
    let mut samples = vec![Vec::new(); pages.len()];
    let begin = Instant::now();
    while samples[0].len() < ROUNDS || begin.elapsed() < SAMPLE {
        for ((_, path), samples) in pages.iter().zip(&mut samples) {
            let begin = Instant::now();
            get(&app, path).await?;
            samples.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    walking.abort();
    let mut rows = Vec::new();
    for ((name, _), samples) in pages.iter().zip(samples) {
        let worst = samples.iter().copied().fold(0.0, f64::max);
        let series = |samples| Series { name: String::new(), samples };
        rows.push(Comparison::alone(format!("{name}, {store}"), Milliseconds, &series(samples)));
        let name = format!("{name} at worst, {store}");
        rows.push(Comparison::limit(name, Milliseconds, &series(vec![worst]), MOST));
    }
    let walk = Series { name: String::new(), samples: vec![walk.as_secs_f64() * 1e3] };
    rows.push(Comparison::alone(format!("one walk, {store}"), Milliseconds, &walk));
    Ok(rows)
}

/// A console that has looked at the store, and how long that took.
async fn walked(sessions: &Sessions) -> Result<(Router, Duration)> {
    let app = Console::new(sessions.clone()).into_router();
    let begin = Instant::now();
    while !get(&app, "/").await?.contains("<dt>live</dt>") {}
    Ok((app, begin.elapsed()))
}

async fn get(app: &Router, path: &str) -> Result<String> {
    let request = Request::get(path).header("host", "localhost").body(Body::empty())?;
    let response = app.clone().oneshot(request).await?;
    ensure!(response.status().is_success(), "{path} answers {}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec())?)
}
