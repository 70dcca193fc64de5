//! `cargo run -p shop`: opens the shop.

mod place;

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use cloakroom::{Config, Sessions};
use shop::session::PRINCIPAL;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

use crate::place::place;

/// How long requests may take that are being answered when the end is asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long a visitor may stay away before the session ends.
const IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// On how many devices one may be logged in: a further one logs out the oldest.
const DEVICES: u32 = 3;

/// A small shop on Cloakroom's sessions.
#[derive(Debug, Parser)]
#[command(name = "shop", version)]
struct Arguments {
    /// Where sessions are kept: TOML or JSON, the shape of Astro's `session`; or a site's own astro.config.mjs.
    /// Without it, files in .data/sessions under the current directory.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 4321)]
    port: u16,

    /// The address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    host: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut config = match &arguments.config {
        Some(path) => {
            Config::from_file(path).map_err(|error| with_remedy(error, missing_reader(path)))?
        }
        None => files_in_the_current_directory(),
    };
    config.principal.get_or_insert_with(|| PRINCIPAL.to_owned());
    let (place, missing) = (place(&config), missing_driver(&config.driver));
    let sessions = Sessions::from_config(config).await;
    let app = shop::app(sessions.map_err(|error| with_remedy(error, missing))?);

    let (host, port) = (arguments.host.as_str(), arguments.port);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        format!("cannot listen on {host}:{port}: {error}; HOST and PORT choose another address")
    })?;
    // Before anybody hears of the shop, so that no signal is missed.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    announce(listener.local_addr()?, &place);

    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        _ = stopping.send(());
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop) => served?,
        // A visitor who never finishes a request holds nothing up for longer.
        () = async { _ = stopped.await; sleep(GRACE).await } => {}
    }
    Ok(())
}

/// The error, and how a shop is built that has what this one lacks.
fn with_remedy(error: cloakroom::Error, missing: Option<&str>) -> Box<dyn Error> {
    match missing {
        Some(feature) => format!("{error} (`cargo run -p shop --features {feature}`)").into(),
        None => error.into(),
    }
}

/// The feature of the shop that brings this driver, if it was built without.
fn missing_driver(driver: &str) -> Option<&'static str> {
    match driver {
        "redis" if !cfg!(feature = "redis") => Some("redis"),
        "db0" | "sql" if !cfg!(feature = "databases") => Some("databases"),
        _ => None,
    }
}

/// The feature of the shop that reads such a file, if it was built without.
fn missing_reader(path: &Path) -> Option<&'static str> {
    let is_table = path.extension().is_none_or(|it| it == "toml" || it == "json");
    (!is_table && !cfg!(feature = "astro-config")).then_some("astro-config")
}

/// What the shop runs on when nothing is said.
fn files_in_the_current_directory() -> Config {
    let mut config = Config::new("fs-lite").option("base", ".data/sessions");
    // The shop speaks plain http on localhost, where not every client sends a Secure cookie back. A shop on the
    // web stands behind https and leaves this on.
    config.cookie.secure = false;
    // Every page view notes when it was, so that a crawler leaves one session for each page.
    config.idle = Some(IDLE);
    config.max_sessions = Some(DEVICES);
    config
}

/// Says that the shop is ready, for people and for programs that wait for it.
fn announce(address: SocketAddr, place: &str) {
    let host =
        if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
    let port = address.port();
    let lines = format!("shop: listening on http://{host}:{port}\nshop: sessions in {place}\n");
    // Whoever started the shop may have stopped listening to it: no reason to close.
    _ = std::io::stdout().lock().write_all(lines.as_bytes());
}

/// The error, and those of its causes that it does not tell itself.
fn report(error: &dyn Error) {
    let message = error.to_string();
    eprintln!("shop: {message}");
    for cause in std::iter::successors(error.source(), |&error| error.source()) {
        let cause = cause.to_string();
        if !message.contains(&cause) {
            eprintln!("  because: {cause}");
        }
    }
}
