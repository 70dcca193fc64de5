//! What is asked once at the start, besides the table itself.

use std::path::PathBuf;

use super::database::Database;
use super::failure::Failure;
use crate::common::table::{Dialect, Executor as _, Statement, name};
use cloakroom_storage::Result;

impl Database {
    /// Refuses connections that are lent and whose settings would spoil what is written, and finds out whether the
    /// database outlives the process. `keeps_texts` where values are stored as texts.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when something does not fit, and when the database
    /// cannot be asked.
    pub(crate) async fn inspected(mut self, keeps_texts: bool) -> Result<Database> {
        self.inspect(keeps_texts).await.map_err(|failure| self.error(failure))?;
        Ok(self)
    }

    async fn inspect(&mut self, keeps_texts: bool) -> Result<(), Failure> {
        self.inspect_connections(keeps_texts).await?;
        if self.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let file = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let rows = self.fetch_patiently(&Statement::new(self.dialect, file)).await?;
        let file = rows.into_iter().next().and_then(|row| row.bytes).unwrap_or_default();
        self.is_durable = !file.is_empty();
        self.file = self.is_durable.then(|| PathBuf::from(&*String::from_utf8_lossy(&file)));
        Ok(())
    }

    /// The table's name with the schema in which it was found, so that it is the same one whatever a later connection's
    /// `search_path` is.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when this user sees no row of it, and when the database
    /// cannot be asked.
    pub(crate) async fn found_table(&self, table: &str) -> Result<String> {
        if self.dialect != Dialect::Postgres {
            return Ok(table.to_owned());
        }
        // Row-level security does not refuse to read what it hides: sessions would be lost in silence.
        let look = format!(
            "SELECT nspname, CAST(CASE WHEN row_security_active(pg_class.oid) AND NOT EXISTS \
             (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid) THEN 1 ELSE 0 END AS BIGINT) \
             FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
             WHERE pg_class.oid = to_regclass('{table}')"
        );
        let rows = match self.fetch_patiently(&Statement::new(self.dialect, &look)).await {
            Ok(rows) => rows,
            // What only speaks as PostgreSQL does may not know of all this.
            Err(failure) if failure.is_refusal() => return Ok(table.to_owned()),
            Err(failure) => return Err(self.error(failure)),
        };
        let Some(row) = rows.into_iter().next() else { return Ok(table.to_owned()) };
        if row.numbers[0] == Some(1) {
            let reason = format!(
                "row-level security hides every row of the table `{table}` from this user; \
                 give it a policy, or make this user its owner"
            );
            return Err(self.error(Failure::Unfit(reason)));
        }
        let schema = row.bytes.and_then(|schema| String::from_utf8(schema.into()).ok());
        let schema = schema.filter(|schema| name::is_plain(schema));
        Ok(match schema {
            Some(schema) => format!("`{schema}`.{}", name::without_schema(table)),
            None => table.to_owned(),
        })
    }
}
