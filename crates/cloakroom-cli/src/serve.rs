//! `cloakroom serve`.

use std::error::Error;
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytesize::ByteSize;
use clap::Args;
use cloakroom_server::StorageServer;
use cloakroom_session::Config;
use cloakroom_storage::{Advice, Driver as _, DynDriver, Traced, spawn_sweeper, warn_once};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::connections;
use crate::store::Store;

/// Serves a store over HTTP, as unstorage's own server does.
///
/// Any client of unstorage's `http` driver can use it, in any language, and Cloakroom's own driver `http` with
/// compare-and-swap and deadlines. The address that it listens on is the first line that it prints.
///
/// Log lines go to the standard error, as RUST_LOG says; they never hold a key or a token.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom serve --driver fs-lite --option base=.data/sessions
  CLOAKROOM_TOKEN=… cloakroom serve --config cloakroom.toml --listen 0.0.0.0:3999")]
pub(crate) struct Serve {
    #[command(flatten)]
    store: Store,

    /// The address to listen on; port 0 takes a free one. One that other machines can reach needs a token. There is no
    /// TLS here: beyond a network that you trust, put a proxy before it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3999")]
    listen: SocketAddr,

    /// What clients must bear, as `Authorization: Bearer TOKEN`, to read and write. Others can see a process's arguments:
    /// prefer the variable or the file.
    #[arg(long, env = "CLOAKROOM_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,

    /// The same, from a file with nothing else in it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// A token to read with, and not to write.
    #[arg(long, value_name = "TOKEN", env = "CLOAKROOM_READ_TOKEN", hide_env_values = true)]
    read_token: Option<String>,

    /// Refuse every write.
    #[arg(long)]
    read_only: bool,

    /// Serve only what is below this base, which clients do not see.
    #[arg(long, value_name = "BASE")]
    base: Option<String>,

    /// The largest value that is taken, as in 512KiB; the configuration's `maxSize` unless given.
    #[arg(long, value_name = "SIZE")]
    max_size: Option<ByteSize>,

    /// How many connections are open at once. Where all are taken, the one that has waited longest for a request is closed
    /// for the next. Each takes a file of what the system lets a process open.
    #[arg(long, value_name = "NUMBER", default_value_t = 512, value_parser = at_least_one)]
    max_connections: usize,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Box<dyn Error>> {
        let config = self.store.config()?;
        if config.encryption.is_some() || config.hash_ids.is_some() {
            return Err("the configuration has `encryption` or `hashIds`, which are the clients' business: what is served is what they \
                        have sealed and hashed. Leave both out here"
                .into());
        }
        let tokens = self.tokens()?;
        let is_open = tokens.iter().all(Option::is_none);
        if is_open && !self.listen.ip().is_loopback() {
            return Err(format!(
                "{} can be reached from other machines, and there is no token: whoever finds it could read and change \
                 every session. Set CLOAKROOM_TOKEN or --token-file, or listen on 127.0.0.1",
                self.listen
            )
            .into());
        }
        let (server, _sweeper) = self.server(&config, tokens, is_open).await?;
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            format!("cannot listen on {}: {error}; --listen chooses another address", self.listen)
        })?;
        let stopped = stopped()?;
        announce(listener.local_addr()?, &config.driver);
        connections::serve(listener, server.into_router(), self.max_connections, stopped).await;
        Ok(())
    }

    /// The tokens of writers and of readers.
    fn tokens(&self) -> Result<[Option<String>; 2], Box<dyn Error>> {
        let token = given(self.token.as_deref(), self.token_file.as_deref())?;
        let tokens = [token, self.read_token.clone()];
        let tokens = tokens.map(|token| token.map(|token| token.trim().to_owned()));
        if tokens.iter().flatten().any(String::is_empty) {
            return Err(
                "a token is empty, which anybody could guess: leave it out, or set it".into()
            );
        }
        if let [Some(token), Some(read_token)] = &tokens
            && token == read_token
        {
            return Err(
                "the token to read with is the one to write with: choose another one".into()
            );
        }
        Ok(tokens)
    }

    async fn server(
        &self,
        config: &Config,
        [token, read_token]: [Option<String>; 2],
        is_open: bool,
    ) -> Result<(StorageServer, Option<cloakroom_storage::Sweeper>), Box<dyn Error>> {
        let driver = config.open_driver().await?;
        let advice = [Advice::on(driver.capabilities()), driver.advice().await].concat();
        warn_once(&driver, &config.place(), &advice);
        let driver: DynDriver = Arc::new(Traced::new(driver));
        let sweeper = config.sweep_interval.filter(|_| !self.read_only);
        let sweeper = sweeper.map(|interval| spawn_sweeper(driver.clone(), interval));
        let max_size =
            self.max_size.map(|size| usize::try_from(size.as_u64()).unwrap_or(usize::MAX));
        let mut server = StorageServer::new(driver).max_size(max_size.unwrap_or(config.max_size));
        if let Some(base) = &self.base {
            server = server.base(base)?;
        }
        if let Some(token) = token {
            server = server.token(&token);
        }
        if let Some(token) = read_token {
            server = server.read_token(&token);
        }
        if self.read_only {
            server = server.read_only();
        }
        if is_open {
            server = server.local_hosts_only();
        }
        Ok((server, sweeper))
    }
}

/// A token, or what a file has that has nothing else in it.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn given(token: Option<&str>, file: Option<&Path>) -> Result<Option<String>, String> {
    match file {
        None => Ok(token.map(str::to_owned)),
        Some(path) => match std::fs::read_to_string(path) {
            Ok(token) => Ok(Some(token)),
            Err(error) => Err(format!("cannot read the token from {}: {error}", path.display())),
        },
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or("it must be a number, 1 or more".into())
}

/// Ends when the process is asked to. The signals are asked for at once, so that none is missed.
pub(crate) fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn announce(address: SocketAddr, driver: &str) {
    // Whoever started this may have closed its output.
    _ = writeln!(std::io::stdout(), "http://{address} serves the store `{driver}`");
}
