//! The table, made at the start or by somebody else.

use std::time::Duration;

use tokio::time::Instant;

use super::database::Database;
use super::failure::Failure;
use super::statement::{Arguments, Statement};
use crate::{Error, ErrorKind, Result};

/// Between two looks at a file that another process makes.
const PAUSE: Duration = Duration::from_millis(10);

/// Makes sure that the table is as `probe` needs it.
///
/// # Errors
/// When it is not, and may not or cannot be made so: with the SQL that somebody has to run.
pub(in crate::drivers) async fn prepare(
    database: &Database,
    probe: &Statement,
    migrations: &[String],
    migrate: bool,
) -> Result<()> {
    let nothing = Arguments::default();
    if is_prepared(database, probe).await? {
        return Ok(());
    }
    let to_run = || format!("let somebody run:\n{}", joined(migrations));
    if !migrate {
        let place = database.place();
        let message = format!("{place} lacks the table or some of its columns; {}", to_run());
        return Err(Error::new(ErrorKind::InvalidOptions, message));
    }
    for migration in migrations {
        let done = database.execute(&Statement::new(database.dialect(), migration), &nothing).await;
        match done {
            // Somebody else who starts made it.
            Err(failure) if failure.is_there_already(database.dialect()) => {}
            Err(failure) => {
                let error = database.error(failure);
                let message = format!("the table cannot be made: {error}; {}", to_run());
                return Err(Error::new(error.kind(), message).with_source(error));
            }
            Ok(_) => {}
        }
    }
    database.fetch(probe, &nothing).await.map_err(|failure| database.error(failure))?;
    Ok(())
}

/// Whether the table is as `probe` needs it.
///
/// # Errors
/// When the database cannot be asked.
pub(in crate::drivers) async fn is_prepared(
    database: &Database,
    probe: &Statement,
) -> Result<bool> {
    match look(database, probe).await {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_missing_table(database.dialect()) => Ok(false),
        Err(failure) => Err(database.error(failure)),
    }
}

/// Asks the database for the first time.
async fn look(database: &Database, probe: &Statement) -> Result<(), Failure> {
    let deadline = Instant::now() + database.connect_timeout;
    loop {
        match database.fetch(probe, &Arguments::default()).await {
            Ok(_) => return Ok(()),
            // SQLite does not wait for its turn where another process makes the file.
            Err(failure)
                if failure.is_busy_file(database.dialect()) && Instant::now() < deadline =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// As one text for a command line.
pub(in crate::drivers) fn joined(migrations: &[String]) -> String {
    migrations.iter().map(|migration| format!("{migration};\n")).collect()
}
