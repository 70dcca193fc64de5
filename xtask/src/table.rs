//! The table of drivers in README.md, which is written from the code.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cloakroom_drivers::{DriverInfo, Reach, drivers, left_out};

use crate::report::Report;

/// What stands before and after the rows that are written here.
const BEGIN: &str = "<!-- Written by `cargo xtask table`, from the code. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// Writes the table anew.
pub(crate) fn run(root: &Path) -> Report {
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| error.to_string());
    let written = readme.and_then(|readme| {
        let (before, _, after) = parts(&readme)?;
        fs::write(&path, [before, &table(), after].concat()).map_err(|error| error.to_string())
    });
    let mut report = Report::default();
    report.check("table", written);
    report
}

/// Whether README.md has the table that would be written.
pub(crate) fn check(readme: &str) -> Result<(), String> {
    let (_, written, _) = parts(readme)?;
    match written == table() {
        true => Ok(()),
        false => {
            Err("README.md has another table of drivers than the code: `cargo xtask table`"
                .to_owned())
        }
    }
}

fn parts(readme: &str) -> Result<(&str, &str, &str), String> {
    let begin = readme.find(BEGIN).map(|begin| begin + BEGIN.len());
    let end = begin.and_then(|begin| Some(begin + readme[begin..].find(END)?));
    let (Some(begin), Some(end)) = (begin, end) else {
        return Err(format!("README.md has no place for the table of drivers: {BEGIN}{END}"));
    };
    Ok((&readme[..begin], &readme[begin..end], &readme[end..]))
}

fn table() -> String {
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
