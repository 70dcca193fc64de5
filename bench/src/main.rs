//! `cargo xtask bench`: Cloakroom and its peers, side by side in one run.
//!
//! Each group measures one thing and gives back rows of the results. A new one is a module here and a line in `GROUPS`.

mod astro;
mod codec;
mod commands;
mod console;
mod files;
mod javascript;
mod layer;
mod principals;
mod scale;
mod served;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use figures::comparison::Comparison;
use figures::measure::Settings;
use figures::report::{self, Change};

type Group = fn(&Settings) -> Result<Vec<Comparison>>;

/// What is measured, by the name with which `--only` asks for it.
const GROUPS: [(&str, Group); 9] = [
    ("codec", codec::run),
    ("layer", layer::run),
    ("served", served::run),
    ("astro", astro::run),
    ("principals", principals::run),
    ("console", console::run),
    ("commands", commands::run),
    ("files", files::run),
    ("scale", scale::run),
];

#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    about = "Measures Cloakroom beside its peers, and writes down what came out"
)]
struct Arguments {
    /// Few and short rounds, in three minutes at most; what it finds is printed and not kept
    #[arg(long)]
    quick: bool,
    /// One group alone; the others' figures stay as they were
    #[arg(long, value_parser = GROUPS.map(|(name, _)| name))]
    only: Option<String>,
    /// Measures nothing: puts the last figures into the text of the page
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    text: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings { quick: arguments.quick, root: root() };
    let mut groups = Vec::new();
    for (name, run) in GROUPS {
        if !arguments.text && arguments.only.as_deref().is_none_or(|only| only == name) {
            eprintln!("\n==> {name}");
            groups.push((name, run(&settings)?));
        }
    }
    let last = report::last(&settings.root);
    for (name, comparisons) in &groups {
        println!("\n{name}\n{}", report::table(comparisons));
        let (worse, better): (Vec<_>, Vec<_>) =
            report::changes(name, &last, comparisons).into_iter().partition(Change::is_worse);
        tell("worse", &worse);
        tell("better", &better);
    }
    if !settings.quick {
        report::write(&settings.root, groups)?;
    }
    Ok(())
}

fn tell(what: &str, changes: &[Change]) {
    if !changes.is_empty() {
        println!("\n{what} than in the last results, by more than the figures stray:");
    }
    for change in changes {
        println!("  {change}");
    }
}

/// The checkout: the parent of this crate's folder.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
