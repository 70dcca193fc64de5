//! What is unsafe in a database, and on the way there, and what time it is there.

use std::time::Duration;

use super::database::Database;
use super::failure::Failure;
use crate::common::table::{Arguments, Dialect, Executor as _, Statement};
use cloakroom_storage::{Advice, Result};

impl Database {
    /// What is unsafe for sessions in this table.
    pub(crate) async fn advice(&self, table: &str) -> Vec<Advice> {
        let mut advice = Vec::from_iter(self.on_the_way.clone());
        #[cfg(unix)]
        if let Some(file) = &self.file
            && let Ok(metadata) = file.metadata()
        {
            advice.extend(crate::common::advice::open_to_others(file, &metadata));
        }
        if self.dialect == Dialect::Postgres {
            // What only speaks as PostgreSQL does may not know of all this, and where it is away others say so.
            advice.extend(self.on_durability(table).await.unwrap_or_default());
        }
        advice
    }

    async fn on_durability(&self, table: &str) -> Result<Vec<Advice>, Failure> {
        let look = format!(
            "SELECT relname, CAST(CASE relpersistence WHEN 'u' THEN 1 ELSE 0 END AS BIGINT), \
             CAST(CASE current_setting('synchronous_commit') WHEN 'off' THEN 1 ELSE 0 END AS BIGINT) \
             FROM pg_class WHERE oid = to_regclass('{table}')"
        );
        let rows = self.fetch(&Statement::new(self.dialect, &look), &Arguments::default()).await?;
        let [is_unlogged, is_late] = rows.first().map(|row| row.numbers).unwrap_or_default();
        let mut advice = Vec::new();
        if is_unlogged == Some(1) {
            advice.push(Advice::warning(
                "unlogged-table",
                format!("the table `{table}` is empty after a crash of PostgreSQL, since it is `UNLOGGED`"),
                format!("`ALTER TABLE {table} SET LOGGED`"),
            ));
        }
        if is_late == Some(1) {
            advice.push(Advice::warning(
                "no-synchronous-commit",
                "a crash of PostgreSQL takes the last changes, of which one may be a logout, since `synchronous_commit` is off",
                "set `synchronous_commit` on for this user or database",
            ));
        }
        Ok(advice)
    }

    /// What time it is there; `None` where the database has the process's own clock.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) async fn time(&self) -> Result<Option<Duration>> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let look = Statement::new(self.dialect, &format!("SELECT 'now', {}", self.dialect.now()));
        let rows = self.fetch(&look, &Arguments::default()).await;
        let rows = rows.map_err(|failure| self.error(failure))?;
        let milliseconds = rows.first().and_then(|row| row.numbers[0]);
        let milliseconds = milliseconds.and_then(|now| u64::try_from(now).ok());
        Ok(milliseconds.map(Duration::from_millis))
    }
}
