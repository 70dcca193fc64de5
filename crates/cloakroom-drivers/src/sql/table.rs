//! The table of `sql`, and the SQL of each operation.

use crate::common::table::{Dialect, Statement, Statements, name};

/// The table's name, and the database that it is in.
pub(super) struct Table<'a> {
    pub(super) dialect: Dialect,
    pub(super) name: &'a str,
}

impl Table<'_> {
    /// What makes the table, to be run in this order.
    pub(super) fn migrations(&self) -> Vec<String> {
        let table = self.name;
        let index = name::of_index(self.dialect, table);
        let create = format!("CREATE TABLE IF NOT EXISTS {table}");
        let migrations = match self.dialect {
            // Keys in the order of their bytes, so that those with one prefix are neighbours.
            Dialect::Postgres => vec![
                format!(
                    "{create} (\n  `key` TEXT COLLATE \"C\" PRIMARY KEY,\n  `value` BYTEA NOT NULL,\n  \
                     `version` BIGINT NOT NULL,\n  `expires_at` BIGINT\n)"
                ),
                format!(
                    "CREATE INDEX IF NOT EXISTS {index} ON {table} (`expires_at`) \
                     WHERE `expires_at` IS NOT NULL"
                ),
            ],
            // Bytes: every collation that both MySQL and MariaDB have ignores spaces at the end.
            Dialect::MySql => vec![format!(
                "{create} (\n  `key` VARBINARY(1024) PRIMARY KEY,\n  `value` LONGBLOB NOT NULL,\n  \
                 `version` BIGINT NOT NULL,\n  `expires_at` BIGINT,\n  \
                 INDEX {index} (`expires_at`)\n) ENGINE = InnoDB"
            )],
            Dialect::Sqlite => vec![
                format!(
                    "{create} (\n  `key` TEXT NOT NULL PRIMARY KEY,\n  `value` BLOB NOT NULL,\n  \
                     `version` INTEGER NOT NULL,\n  `expires_at` INTEGER\n)"
                ),
                format!(
                    "CREATE INDEX IF NOT EXISTS {index} ON {} (`expires_at`) \
                     WHERE `expires_at` IS NOT NULL",
                    name::without_schema(table)
                ),
            ],
        };
        migrations.iter().map(|migration| self.dialect.quote(migration)).collect()
    }

    /// Fails where the table is not as it has to be.
    pub(super) fn probe(&self) -> Statement {
        self.statement("SELECT `key`, `version`, `expires_at`, `value` FROM {table} WHERE 1 = 0")
    }

    pub(super) fn statements(&self) -> Statements {
        let insert = "INSERT INTO {table} (`key`, `value`, `version`, `expires_at`) \
                      VALUES (:key, :value, :version, {now} + :ttl)";
        let insert_beside = "INSERT INTO {table} AS stored (`key`, `value`, `version`, `expires_at`) \
                             VALUES (:key, :value, :version, {now} + :ttl)";
        let write = "UPDATE {table} SET `value` = :value, `version` = :version, `expires_at` = {now} + :ttl";
        let replace = "ON CONFLICT (`key`) DO UPDATE SET `value` = excluded.`value`, \
                       `version` = excluded.`version`, `expires_at` = excluded.`expires_at`";
        let (set, create, renew) = match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => (
                format!("{insert} {replace}"),
                format!("{insert_beside} {replace} WHERE stored.`expires_at` <= {{now}}"),
                None,
            ),
            // MySQL has no condition there. Two statements where there is a row: the first one fails.
            Dialect::MySql => (
                format!(
                    "{insert} ON DUPLICATE KEY UPDATE `value` = VALUES(`value`), \
                     `version` = VALUES(`version`), `expires_at` = VALUES(`expires_at`)"
                ),
                insert.to_owned(),
                Some(format!("{write} WHERE `key` = :key AND `expires_at` <= {{now}}")),
            ),
        };
        let live = "`key` = :key AND {live}";
        let sweep = match self.dialect {
            // Rows that another machine sweeps, or that are being written, are passed over.
            Dialect::Postgres => {
                "DELETE FROM {table} WHERE `key` = ANY(ARRAY(SELECT `key` FROM {table} \
                 WHERE `expires_at` <= {now} ORDER BY `expires_at` LIMIT :limit FOR UPDATE SKIP LOCKED))"
            }
            Dialect::MySql => {
                "DELETE FROM {table} WHERE `expires_at` <= {now} ORDER BY `expires_at` LIMIT :limit"
            }
            Dialect::Sqlite => {
                "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} \
                 WHERE `expires_at` <= {now} ORDER BY `expires_at` LIMIT :limit)"
            }
        };
        Statements {
            get: self.statement(&format!("SELECT `value`, `version` FROM {{table}} WHERE {live}")),
            get_with_ttl: self.statement(&format!(
                "SELECT `value`, `version`, `expires_at` - {{now}} FROM {{table}} WHERE {live}"
            )),
            set: self.statement(&set),
            create: self.statement(&create),
            renew: renew.map(|renew| self.statement(&renew)),
            update: self.statement(&format!("{write} WHERE {live} AND `version` = :seen_version")),
            remove: self.statement(&format!("DELETE FROM {{table}} WHERE {live}")),
            remove_version: self.statement(&format!(
                "DELETE FROM {{table}} WHERE {live} AND `version` = :seen_version"
            )),
            find: self.statement(&format!("SELECT `key` FROM {{table}} WHERE {live}")),
            touch: self.statement(&format!(
                "UPDATE {{table}} SET `expires_at` = {{now}} + :ttl WHERE {live}"
            )),
            keys: self.statement(
                "SELECT `key` FROM {table} WHERE `key` > :after AND `key` >= :prefix AND {begins} \
                 AND {live} ORDER BY `key` LIMIT :limit",
            ),
            sweep: Some(self.statement(sweep)),
            forget: None,
        }
    }

    fn statement(&self, template: &str) -> Statement {
        // Not by an upper bound: no key is behind all that begin with the prefix in every encoding of PostgreSQL.
        let begins = match self.dialect {
            Dialect::Postgres => "left(`key`, char_length(:prefix)) = :prefix",
            Dialect::MySql => "LEFT(`key`, LENGTH(:prefix)) = CAST(:prefix AS BINARY)",
            Dialect::Sqlite => "substr(`key`, 1, length(:prefix)) = :prefix",
        };
        let sql = template
            .replace("{begins}", begins)
            .replace("{live}", "(`expires_at` IS NULL OR `expires_at` > {now})")
            .replace("{now}", self.dialect.now())
            .replace("{table}", self.name);
        Statement::new(self.dialect, &sql)
    }
}
