//! The command `cloakroom`.

mod commands;
mod connections;
mod output;
mod patient;
mod progress;
mod serve;
mod store;

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use commands::{
    completions, console, count, doctor, export, import, list, man, migrate, revoke, rotate, show,
    sweep, verify, watch,
};
use output::{Outcome, say};

/// Server-side sessions that share their store with Astro.
#[derive(Debug, Parser)]
#[command(name = "cloakroom", version, after_help = output::EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Console(console::Console),
    List(list::List),
    Count(count::Count),
    Show(show::Show),
    Revoke(revoke::Revoke),
    Sweep(sweep::Sweep),
    Verify(verify::Verify),
    Rotate(rotate::Rotate),
    Encrypt(rotate::Encrypt),
    Migrate(migrate::Migrate),
    Export(export::Export),
    Import(import::Import),
    Doctor(doctor::Doctor),
    Watch(watch::Watch),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// What is logged unless RUST_LOG says otherwise. Who asks something once is not told what is unsafe each time: `doctor` tells it.
    fn logged(&self) -> &'static str {
        match self {
            Command::Serve(_) => "warn",
            _ => "warn,cloakroom::advice=off",
        }
    }

    async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        match self {
            Command::Serve(serve) => serve.run().await.map(|()| Outcome::Done),
            Command::Console(console) => console.run().await,
            Command::List(list) => list.run().await,
            Command::Count(count) => count.run().await,
            Command::Show(show) => show.run().await,
            Command::Revoke(revoke) => revoke.run().await,
            Command::Sweep(sweep) => sweep.run().await,
            Command::Verify(verify) => verify.run().await,
            Command::Rotate(rotate) => rotate.run().await,
            Command::Encrypt(encrypt) => encrypt.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Export(export) => export.run().await,
            Command::Import(import) => import.run().await,
            Command::Doctor(doctor) => doctor.run().await,
            Command::Watch(watch) => watch.run().await,
            Command::Completions(completions) => completions.run(Arguments::command()),
            Command::Man(man) => man.run(Arguments::command()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(command.logged()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Else it would say so on the standard error, and panic: what is closed must not end a request, or the server.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    match command.run().await {
        Ok(outcome) => outcome.into(),
        Err(error) if output::is_closed(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Says what went wrong, and what was behind it where that says more.
fn report(error: &dyn Error) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    say(message);
}
