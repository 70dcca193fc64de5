//! The table, made at the start or by somebody else.

use super::executor::Executor;
use super::statement::{Arguments, Statement};
use cloakroom_storage::{Error, ErrorKind, Result};

/// Makes sure that the table is as `probe` needs it.
///
/// # Errors
/// When it is not, and may not or cannot be made so: with the SQL that somebody has to run.
pub(crate) async fn prepare(
    database: &impl Executor,
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
            Err(failure) if database.is_there_already(&failure) => {}
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
pub(crate) async fn is_prepared(database: &impl Executor, probe: &Statement) -> Result<bool> {
    match database.look(probe).await {
        Ok(()) => Ok(true),
        Err(failure) if database.is_missing_table(&failure) => Ok(false),
        Err(failure) => Err(database.error(failure)),
    }
}

/// As one text for a command line.
pub(crate) fn joined(migrations: &[String]) -> String {
    migrations.iter().map(|migration| format!("{migration};\n")).collect()
}
