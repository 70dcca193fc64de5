//! Prints the SQL that makes the table of the driver `sql`, for those who run it themselves:
//!
//! ```console
//! cargo run -p cloakroom-drivers --features sql --example migrations -- postgres cloakroom_sessions
//! ```

use std::process::ExitCode;

use cloakroom_drivers::sql::{Dialect, migrations};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (dialect, table) = match words.as_slice() {
        [dialect] => (*dialect, "cloakroom_sessions"),
        [dialect, table] => (*dialect, *table),
        _ => return usage(),
    };
    let dialect = match dialect {
        "postgres" => Dialect::Postgres,
        "mysql" | "mariadb" => Dialect::MySql,
        "sqlite" => Dialect::Sqlite,
        _ => return usage(),
    };
    match migrations(dialect, table) {
        Ok(sql) => {
            print!("{sql}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: migrations postgres|mysql|sqlite [TABLE]");
    ExitCode::FAILURE
}
