//! The tables of unstorage's drivers, and the SQL of each operation on them.

use super::dialect::Dialect;
use super::executor::Executor;
use super::statement::Statement;
use super::store::Statements;
use super::{migrate, name};
use cloakroom_storage::Result;

/// Whose table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Of `db0`: the columns `key`, `value` for texts, and `blob` for other bytes.
    #[cfg_attr(not(feature = "db0"), allow(dead_code))]
    Db0,
    /// Of `planetscale`: the columns `id`, and `value` for texts.
    #[cfg_attr(not(feature = "planetscale"), allow(dead_code))]
    PlanetScale,
}

/// The table's name, the database that it is in, and whether it has our columns.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) layout: Layout,
    pub(crate) dialect: Dialect,
    pub(crate) name: &'a str,
    pub(crate) expires: bool,
}

impl Table<'_> {
    /// Makes the table where it may. Gives it as it is: without our columns where it has to be taken so.
    ///
    /// # Errors
    /// When the database cannot be asked, or the table is missing and cannot be made.
    pub(crate) async fn prepared(
        self,
        driver: &'static str,
        database: &impl Executor,
        migrate: bool,
    ) -> Result<Self> {
        if !migrate && !migrate::is_prepared(database, &self.probe()).await? {
            let plain = Table { expires: false, ..self };
            migrate::prepare(database, &plain.probe(), &self.migrations(), false).await?;
            tracing::warn!(
                driver,
                table = self.name,
                "the table lacks the columns for deadlines, so that nothing expires"
            );
            return Ok(plain);
        }
        migrate::prepare(database, &self.probe(), &self.migrations(), migrate).await?;
        Ok(self)
    }

    /// What makes the table, or adds what it lacks, to be run in this order.
    pub(crate) fn migrations(&self) -> Vec<String> {
        let table = self.name;
        let index = name::of_index(self.dialect, table);
        let create = format!("CREATE TABLE IF NOT EXISTS {table}");
        let migrations = match self.dialect {
            Dialect::Postgres => vec![
                format!(
                    "{create} (\n  `key` VARCHAR(255) NOT NULL PRIMARY KEY,\n  `value` TEXT,\n  `blob` BYTEA,\n  \
                     `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,\n  \
                     `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP\n)"
                ),
                format!("ALTER TABLE {table} ADD COLUMN `expires_at` BIGINT"),
                format!("ALTER TABLE {table} ADD COLUMN `expires_value` BYTEA"),
                format!(
                    "CREATE INDEX IF NOT EXISTS {index} ON {table} (`expires_at`) \
                     WHERE `expires_at` IS NOT NULL"
                ),
            ],
            Dialect::MySql if self.layout == Layout::PlanetScale => vec![
                format!(
                    "{create} (\n  `key` VARCHAR(255) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,\n  `value` LONGTEXT,\n  \
                     `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,\n  \
                     `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP\n)"
                ),
                format!("ALTER TABLE {table} ADD COLUMN `expires_at` BIGINT"),
                format!("ALTER TABLE {table} ADD COLUMN `expires_value` VARBINARY(32)"),
                format!("ALTER TABLE {table} ADD INDEX {index} (`expires_at`)"),
            ],
            // DIFFERENCE: JavaScript's has the database's character set, and a collation that often ignores case.
            Dialect::MySql => vec![
                format!(
                    "{create} (\n  `key` VARCHAR(255) NOT NULL PRIMARY KEY,\n  `value` LONGTEXT,\n  `blob` BLOB,\n  \
                     `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,\n  \
                     `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP\n) \
                     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                ),
                // JavaScript's ends at 64 KB.
                format!("ALTER TABLE {table} MODIFY COLUMN `blob` LONGBLOB"),
                format!("ALTER TABLE {table} ADD COLUMN `expires_at` BIGINT"),
                format!("ALTER TABLE {table} ADD COLUMN `expires_value` VARBINARY(32)"),
                format!("ALTER TABLE {table} ADD INDEX {index} (`expires_at`)"),
            ],
            Dialect::Sqlite => vec![
                format!(
                    "{create} (\n  `key` TEXT PRIMARY KEY,\n  `value` TEXT,\n  `blob` BLOB,\n  \
                     `created_at` TEXT DEFAULT CURRENT_TIMESTAMP,\n  \
                     `updated_at` TEXT DEFAULT CURRENT_TIMESTAMP\n)"
                ),
                format!("ALTER TABLE {table} ADD COLUMN `expires_at` INTEGER"),
                format!("ALTER TABLE {table} ADD COLUMN `expires_value` BLOB"),
                format!(
                    "CREATE INDEX IF NOT EXISTS {index} ON {} (`expires_at`) \
                     WHERE `expires_at` IS NOT NULL",
                    name::without_schema(table)
                ),
            ],
        };
        let named = |sql: &String| self.dialect.quote(&self.with_names(sql));
        migrations.iter().map(named).collect()
    }

    /// Fails where the table is not as it has to be.
    pub(crate) fn probe(&self) -> Statement {
        let ours = if self.expires { ", `expires_at`, `expires_value`" } else { "" };
        self.statement(&format!("SELECT `key`, `value`{{blob}}{ours} FROM {{table}} WHERE 1 = 0"))
    }

    pub(crate) fn statements(&self) -> Statements {
        // What is written, with and without our columns: their names, and their values.
        let (columns, values, changes) = match self.expires {
            true => (
                ", `expires_at`, `expires_value`",
                ", {now} + :ttl, {given_mark}",
                ", `expires_at` = {now} + :ttl, `expires_value` = {given_mark}",
            ),
            false => ("", "", ""),
        };
        let insert = |alias: &str| {
            format!(
                "INSERT INTO {{table}}{alias} (`key`, `value`{{blob}}, `created_at`, `updated_at`{columns}) \
                 VALUES (:key, :text{{given_blob}}, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP{values})"
            )
        };
        let write = format!(
            "UPDATE {{table}} SET `value` = :text{{set_blob}}, `updated_at` = CURRENT_TIMESTAMP{changes}"
        );
        let replace = |new: &dyn Fn(&str) -> String| {
            let blob = Some("blob").filter(|_| self.has_blob());
            let columns = ["value"].into_iter().chain(blob);
            let ours = ["expires_at", "expires_value"].into_iter().filter(|_| self.expires);
            let columns =
                columns.chain(ours).map(|column| format!("`{column}` = {}, ", new(column)));
            columns.collect::<String>() + "`updated_at` = CURRENT_TIMESTAMP"
        };
        let (set, create, renew) = match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => {
                let replace = replace(&|column| format!("excluded.`{column}`"));
                let insert = insert(" AS stored");
                (
                    format!("{insert} ON CONFLICT (`key`) DO UPDATE SET {replace}"),
                    format!(
                        "{insert} ON CONFLICT (`key`) DO UPDATE SET {replace} WHERE NOT {{stored_live}}"
                    ),
                    None,
                )
            }
            // The key too: it may be another one, which is the same to the column's collation.
            Dialect::MySql => (
                format!(
                    "{} ON DUPLICATE KEY UPDATE `key` = VALUES(`key`), {}",
                    insert(""),
                    replace(&|column| format!("VALUES(`{column}`)"))
                ),
                insert(""),
                Some(format!(
                    "{} WHERE `key` = :key AND NOT ({{is_key}} AND {{live}})",
                    write.replacen("SET ", "SET `key` = :key, ", 1)
                )),
            ),
        };
        let live = "{is_key} AND {live}";
        let touch = if self.expires {
            "`expires_at` = {now} + :ttl, `expires_value` = {row_mark}, "
        } else {
            ""
        };
        let ttl = match self.expires {
            true => ", `expires_at`, CASE WHEN {is_other} THEN NULL ELSE `expires_at` - {now} END",
            false => "",
        };
        Statements {
            get: self.statement(&format!("SELECT {{bytes}} FROM {{table}} WHERE {live}")),
            get_with_ttl: self.statement(&format!("SELECT {{bytes}}{ttl} FROM {{table}} WHERE {live}")),
            set: self.statement(&set),
            create: self.statement(&create),
            renew: renew.map(|renew| self.statement(&renew)),
            update: self.statement(&format!("{write} WHERE {live} AND {{bytes}} = :seen")),
            remove: self.statement(&format!("DELETE FROM {{table}} WHERE {live}")),
            remove_version: self
                .statement(&format!("DELETE FROM {{table}} WHERE {live} AND {{bytes}} = :seen")),
            find: self.statement(&format!("SELECT `key` FROM {{table}} WHERE {live}")),
            touch: self.statement(&format!(
                "UPDATE {{table}} SET {touch}`updated_at` = `updated_at` WHERE {live}"
            )),
            keys: self.statement(
                "SELECT `key` FROM {table} WHERE `key` > :after AND {begins} AND {live} \
                 ORDER BY `key` LIMIT :limit",
            ),
            sweep: self.expires.then(|| self.sweep()),
            forget: self.expires.then(|| {
                self.statement(
                    "UPDATE {table} SET `expires_at` = NULL, `expires_value` = NULL, `updated_at` = `updated_at` \
                     WHERE `expires_at` <= {now} AND {is_other}",
                )
            }),
        }
    }

    fn sweep(&self) -> Statement {
        let expired = "`expires_at` <= {now} AND NOT {is_other} ORDER BY `expires_at` LIMIT :limit";
        self.statement(&match self.dialect {
            // Rows that another machine sweeps, or that are being written, are passed over.
            Dialect::Postgres => format!(
                "DELETE FROM {{table}} WHERE `key` = ANY(ARRAY(SELECT `key` FROM {{table}} \
                 WHERE {expired} FOR UPDATE SKIP LOCKED))"
            ),
            Dialect::MySql => format!("DELETE FROM {{table}} WHERE {expired}"),
            Dialect::Sqlite => format!(
                "DELETE FROM {{table}} WHERE rowid IN (SELECT rowid FROM {{table}} WHERE {expired})"
            ),
        })
    }

    fn statement(&self, template: &str) -> Statement {
        let live = match self.expires {
            true => {
                "({bytes} IS NOT NULL AND (`expires_at` IS NULL OR `expires_at` > {now} OR {is_other}))"
            }
            false => "({bytes} IS NOT NULL)",
        };
        let words = Words::of(self.dialect, self.layout);
        let of_row = |text: &str| {
            text.replace("{is_other}", words.is_other)
                .replace("{row_mark}", "CASE WHEN :ttl IS NULL THEN NULL ELSE {mark} END")
                .replace("{mark}", words.mark)
                .replace("{bytes}", words.bytes)
        };
        let live = of_row(live);
        let stored_live = ["value", "blob", "expires_at", "expires_value"]
            .iter()
            .fold(live.clone(), |live, column| {
                live.replace(&format!("`{column}`"), &format!("stored.`{column}`"))
            });
        let blob = |text| if self.has_blob() { text } else { "" };
        let template = template
            .replace("{blob}", blob(", `blob`"))
            .replace("{given_blob}", blob(", :blob"))
            .replace("{set_blob}", blob(", `blob` = :blob"));
        let sql = of_row(&template)
            .replace("{stored_live}", &stored_live)
            .replace("{live}", &live)
            .replace("{is_key}", words.is_key)
            .replace("{begins}", words.begins)
            .replace("{given_mark}", "CASE WHEN :ttl IS NULL THEN NULL ELSE {given} END")
            .replace("{given}", words.given)
            .replace("{now}", self.dialect.now())
            .replace("{table}", self.name);
        Statement::new(self.dialect, &self.with_names(&sql))
    }

    fn has_blob(&self) -> bool {
        self.layout == Layout::Db0
    }

    /// The SQL with the names that the layout has for the columns.
    fn with_names(&self, sql: &str) -> String {
        match self.layout {
            Layout::Db0 => sql.to_owned(),
            Layout::PlanetScale => sql.replace("`key`", "`id`"),
        }
    }
}

/// What the databases say differently about this table.
struct Words {
    /// A row's value: the text that JavaScript sets, or else its raw bytes.
    bytes: &'static str,
    /// What a deadline keeps of the value that it was given for: a hash, or where there is none, a copy.
    mark: &'static str,
    /// The same of the value that is written.
    given: &'static str,
    /// Whether a row's deadline is another value's.
    is_other: &'static str,
    /// Whether a row is the key's, to the byte.
    is_key: &'static str,
    /// Whether a row's key begins with the prefix.
    begins: &'static str,
}

impl Words {
    fn of(dialect: Dialect, layout: Layout) -> Words {
        match dialect {
            Dialect::Postgres => Words {
                bytes: "coalesce(convert_to(`value`, 'UTF8'), `blob`)",
                mark: "sha256({bytes})",
                given: "sha256(coalesce(convert_to(:text, 'UTF8'), :blob))",
                is_other: "(`expires_value` IS DISTINCT FROM {mark})",
                is_key: "`key` = :key",
                begins: "left(`key`, char_length(:prefix)) = :prefix",
            },
            Dialect::MySql => Words {
                bytes: match layout {
                    Layout::Db0 => {
                        "COALESCE(CAST(CONVERT(`value` USING utf8mb4) AS BINARY), `blob`)"
                    }
                    Layout::PlanetScale => "CAST(CONVERT(`value` USING utf8mb4) AS BINARY)",
                },
                mark: "UNHEX(SHA2({bytes}, 256))",
                given: ":mark",
                is_other: "(NOT (`expires_value` <=> {mark}))",
                // The first finds the row, in the order of the column's collation, which may ignore case.
                is_key: "`key` = :key AND CAST(CONVERT(`key` USING utf8mb4) AS BINARY) = CAST(:key AS BINARY)",
                begins: "LEFT(`key`, CHAR_LENGTH(:prefix)) = :prefix",
            },
            Dialect::Sqlite => Words {
                bytes: "coalesce(CAST(`value` AS BLOB), `blob`)",
                mark: "{bytes}",
                given: "coalesce(CAST(:text AS BLOB), :blob)",
                is_other: "(`expires_value` IS NOT {mark})",
                is_key: "`key` = :key",
                begins: "substr(`key`, 1, length(:prefix)) = :prefix",
            },
        }
    }
}
