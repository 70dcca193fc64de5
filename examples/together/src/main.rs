//! `cargo run -p together`: opens the shop, both halves of it.

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::uri::Authority;
use clap::Parser;
use cloakroom::{Config, Sessions};
use together::site::{self, Site};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

/// How long requests may take that are being answered when the end is asked for.
const GRACE: Duration = Duration::from_secs(10);

/// One shop of two halves, Astro and Rust, with one login.
#[derive(Debug, Parser)]
#[command(name = "together", version)]
struct Arguments {
    /// The Astro site's folder.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/site"))]
    site: PathBuf,

    /// Where an Astro site runs already, as HOST:PORT. Without it, the one in the folder is installed, built and started.
    #[arg(long, value_name = "HOST:PORT", env = "ASTRO")]
    astro: Option<Authority>,

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
            eprintln!("together: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let (host, port) = (arguments.host.as_str(), arguments.port);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        format!("cannot listen on {host}:{port}: {error}; HOST and PORT choose another address")
    })?;
    let address = listener.local_addr()?;
    // Before anybody hears of the shop, so that no signal is missed.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let folder = arguments
        .site
        .canonicalize()
        .map_err(|error| format!("{}: {error}", arguments.site.display()))?;
    let mut site = match &arguments.astro {
        Some(_) => None,
        None => {
            site::build(&folder).await?;
            Some(Site::start(&folder, address).await?)
        }
    };
    let astro = match (&site, arguments.astro) {
        (Some(site), _) => site.address.clone(),
        (None, Some(astro)) => astro,
        (None, None) => return Err("there is no Astro site".into()),
    };

    // One configuration, which is the site's own.
    let config = Config::from_file(site::told(&folder))?;
    let sessions = Sessions::from_config(config).await?;
    let app = together::app(sessions, astro);
    println!("together: listening on http://localhost:{}", address.port());

    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        _ = stopping.send(());
    };
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service).with_graceful_shutdown(stop) => Ok(served?),
        // A visitor who never finishes a request holds nothing up for longer.
        () = async { _ = stopped.await; sleep(GRACE).await } => Ok(()),
        ended = ended(site.as_mut()) => Err(ended.into()),
    }
}

/// Waits for the end of a site that was started from here.
async fn ended(site: Option<&mut Site>) -> String {
    match site {
        Some(site) => site.ended().await,
        None => std::future::pending().await,
    }
}
