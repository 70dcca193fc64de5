//! `cloakroom console`.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;

use super::target::Age;
use crate::connections;
use crate::output::{Format, Outcome};
use crate::serve::{given, stopped};
use crate::store::{Store, open};

/// How many browsers' connections are open at once.
const MOST_CONNECTIONS: usize = 128;

/// Shows the sessions of a store as web pages: how many live, begin and end; one by its handle or its principal; and an end of it.
///
/// No page has an ID, a script, or the value of an entry that looks like a secret. The address that it listens on is the first
/// line that it prints.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom console --config cloakroom.toml
  cloakroom console --driver redis --option url=redis://localhost:6379 --listen 0.0.0.0:3998 --token-file /run/secrets/console

The line of --json has: url, and store, the driver's name.")]
pub(crate) struct Console {
    #[command(flatten)]
    store: Store,

    /// The address to listen on; port 0 takes a free one. One that other machines can reach needs a token. There is no TLS here:
    /// beyond a network that you trust, put a proxy before it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3998")]
    listen: SocketAddr,

    /// What is asked for before anything is shown, in a form or as `Authorization: Bearer TOKEN`. Others can see a process's
    /// arguments: prefer the variable or the file.
    #[arg(
        long,
        env = "CLOAKROOM_CONSOLE_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    token: Option<String>,

    /// The same, from a file with nothing else in it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// How often the store's keys are listed at most, while somebody looks. A walk rests thirty times as long as it took.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    every: Age,

    /// The address that browsers see, as https://console.example, where a proxy changes `Host`.
    #[arg(long, value_name = "ORIGIN")]
    public_origin: Option<String>,

    #[command(flatten)]
    format: Format,
}

impl Console {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let token = self.token()?;
        let config = self.store.config()?;
        let (driver, place) = (config.driver.clone(), config.place());
        let sessions = open(config).await?;
        let mut console = cloakroom_console::Console::new(sessions)
            .store_name(format!("{driver} {place}"))
            .interval(self.every.0);
        console = match &token {
            Some(token) => console.token(token),
            None => console.local_hosts_only(),
        };
        if let Some(origin) = &self.public_origin {
            console = console.public_origin(origin);
        }
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            format!("cannot listen on {}: {error}; --listen chooses another address", self.listen)
        })?;
        let stopped = stopped()?;
        let url = format!("http://{}", listener.local_addr()?);
        let json = json!({ "url": url, "store": driver });
        self.format
            .print(|| json, || format!("{url} shows the sessions of the store `{driver}`"))?;
        connections::serve(listener, console.into_router(), MOST_CONNECTIONS, stopped).await;
        Ok(Outcome::Done)
    }

    /// The token, which an address needs that other machines can reach.
    fn token(&self) -> Result<Option<String>, Box<dyn Error>> {
        let token = given(self.token.as_deref(), self.token_file.as_deref())?;
        let token = token.map(|token| token.trim().to_owned());
        match &token {
            Some(token) if token.is_empty() => {
                Err("the token is empty, which anybody could guess: leave it out, or set it".into())
            }
            None if !self.listen.ip().is_loopback() => Err(format!(
                "{} can be reached from other machines, and there is no token: whoever finds it could see and end every \
                 session. Set CLOAKROOM_CONSOLE_TOKEN or --token-file, or listen on 127.0.0.1",
                self.listen
            )
            .into()),
            _ => Ok(token),
        }
    }
}
