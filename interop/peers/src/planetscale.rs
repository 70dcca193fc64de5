//! PlanetScale, as far as that can be had: its interface over MariaDB.

use crate::mariadb::MariaDb;
use crate::node::NodeServer;

/// A shim that speaks as PlanetScale does, and the MariaDB behind it. There is no server of PlanetScale's to be had.
pub struct PlanetScale {
    // Before the database: it ends first.
    shim: NodeServer,
    mariadb: MariaDb,
}

impl PlanetScale {
    /// Starts both.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts both. With `changed`, a row counts only where it changes; with `safe-migrations`, nobody makes a table.
    #[must_use]
    pub fn start_with(modes: &[&str]) -> Option<Self> {
        let mariadb = MariaDb::start()?;
        let url = mariadb.url();
        let shim = NodeServer::start("planetscale", "mysql2", &[&[&*url], modes].concat())?;
        Some(Self { shim, mariadb })
    }

    /// `http://USER:PASSWORD@127.0.0.1:PORT/cloakroom`, which goes to the shim.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://user:pscale_pw_test@127.0.0.1:{}/cloakroom", self.shim.port())
    }

    /// What answers.
    #[must_use]
    pub fn shim(&self) -> &NodeServer {
        &self.shim
    }

    /// What keeps the data.
    #[must_use]
    pub fn mariadb(&self) -> &MariaDb {
        &self.mariadb
    }
}
