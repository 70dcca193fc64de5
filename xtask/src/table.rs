//! What the documents say that is written from the code: a short table of the drivers in README.md, the whole in
//! docs/drivers.md, and the reference in docs/configuration.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cloakroom_drivers::{DriverInfo, Reach, drivers, left_out};

use crate::promises::DOCUMENT;
use crate::reference;
use crate::report::Report;

/// What stands before and after the rows that are written here.
const BEGIN: &str = "<!-- Written by `cargo xtask table`, from the code. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// A file, and what writes its tables.
type Place = (&'static str, fn(&Path) -> Result<String, String>);

/// Each place that has tables.
const PLACES: [Place; 3] = [
    ("README.md", |_| Ok(short())),
    (DOCUMENT, |_| Ok(whole())),
    ("docs/configuration.md", reference::tables),
];

/// Writes the tables anew.
pub(crate) fn run(root: &Path) -> Report {
    let mut report = Report::default();
    for (path, table) in PLACES {
        let written = read(root, path).and_then(|text| {
            let (before, _, after) = parts(path, &text)?;
            fs::write(root.join(path), [before, &table(root)?, after].concat())
                .map_err(|error| format!("{path}: {error}"))
        });
        report.check(&format!("table: {path}"), written);
    }
    report
}

/// Whether each place has the table that would be written.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    for (path, table) in PLACES {
        let text = read(root, path)?;
        let (_, written, _) = parts(path, &text)?;
        if written != table(root)? {
            let reason = "has another table than the code: `cargo xtask table`";
            return Err(format!("{path} {reason}"));
        }
    }
    Ok(())
}

/// A document but for what is written here.
pub(crate) fn without(document: &str) -> Result<String, String> {
    let (before, _, after) = parts(DOCUMENT, document)?;
    Ok([before, after].concat())
}

fn read(root: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
}

fn parts<'a>(path: &str, text: &'a str) -> Result<(&'a str, &'a str, &'a str), String> {
    let begin = text.find(BEGIN).map(|begin| begin + BEGIN.len());
    let end = begin.and_then(|begin| Some(begin + text[begin..].find(END)?));
    let (Some(begin), Some(end)) = (begin, end) else {
        return Err(format!("{path} has no place for what is written there: {BEGIN}{END}"));
    };
    Ok((&text[..begin], &text[begin..end], &text[end..]))
}

/// What one chooses a driver by.
fn short() -> String {
    let mut table = String::from(
        "\n| driver | survives a restart | no lost update | note |\n|---|---|---|---|\n",
    );
    for driver in drivers() {
        let [name, _, survives, _, updates, .., note] = row(driver);
        _ = writeln!(table, "| {name} | {survives} | {updates} | {note} |");
    }
    table + "\n"
}

/// All that the code knows of each, and what was left out.
fn whole() -> String {
    let mut table = String::from(
        "\n| driver | since | survives a crash | shared by | no lost update | removes expired data | round trips to read, to write | tested against | note |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for driver in drivers() {
        _ = writeln!(table, "| {} |", row(driver).join(" | "));
    }
    table += "\n| left out | why |\n|---|---|\n";
    for (name, reason) in left_out() {
        _ = writeln!(table, "| `{name}` | {reason} |");
    }
    table + "\n"
}

fn row(driver: &DriverInfo) -> [String; 9] {
    let aliases = driver.aliases.iter().map(|alias| format!(", `{alias}`"));
    let name = format!("`{}`{}", driver.name, aliases.collect::<String>());
    let offers = driver.capabilities;
    let cells = match offers.retains {
        true => [
            if offers.durable { "yes" } else { "no" },
            match driver.reach {
                Reach::Process => "one process",
                Reach::Machine => "the processes of a machine",
                Reach::Network => "machines",
            },
            if offers.compare_and_swap { "yes" } else { "no: the last writer wins" },
            match (offers.expiry, offers.native_ttl) {
                (true, true) => "yes, by itself",
                (true, false) => "yes, swept",
                (false, _) => "no",
            },
        ],
        false => ["keeps nothing", "–", "–", "–"],
    };
    let [crash, reach, updates, expired] = cells.map(str::to_owned);
    let trips =
        driver.round_trips.map_or("–".to_owned(), |(read, write)| format!("{read}, {write}"));
    let [since, tested, note] =
        [driver.since, driver.tested_against, driver.note].map(str::to_owned);
    [name, since, crash, reach, updates, expired, trips, tested, note]
}
