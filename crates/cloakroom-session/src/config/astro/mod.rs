//! What the reader of Astro's configuration files found, as a configuration of ours.

mod told;

use std::path::Path;

use cloakroom_astro_config::{Driver, Environment, Position};
use serde_json::{Map, Value};

use super::sources::Sources;
use super::{Adapter, Config};
use crate::error::{Error, Result};

impl Config {
    /// Reads the `session` of an Astro site's own configuration file, so that both have one (feature `astro-config`).
    ///
    /// The file is parsed and never run, and what is read is what Astro reads. What only running the file would show is
    /// an error, with its place and the reason. What is understood is what configurations are made of: literals, `const`,
    /// spreads, conditions, arithmetic and text, imports of files beside it, `process.env.NAME`, Vite's `loadEnv`,
    /// `dotenv` and `process.loadEnvFile`, `new URL(…, import.meta.url)`, `node:path`, and Astro's `defineConfig` and
    /// `sessionDrivers`. Only what the session needs is looked at; the site's integrations can be anything.
    /// `docs/astro-config.md` in the repository has all of it.
    ///
    /// A site with the package `@cloakroom/astro` tells what its sessions are whenever it is built or started: that is
    /// taken, from `.astro/cloakroom.json` beside the file, as long as no script in the folder was changed since.
    ///
    /// An environment variable is that of this process; `NODE_ENV` is `production` where it is not set.
    ///
    /// Where no driver is named, it is the default of the site's adapter. A relative folder or file, or path of a
    /// socket, is taken from the project's root (`root`, and else the file's folder), which is where Astro's server
    /// is usually run. The cookie is `Secure` unless the file says otherwise, as in production.
    ///
    /// ```no_run
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::from_astro("../site/astro.config.mjs")?;
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the file cannot be read, where a part that the session needs is not known without running it, where the
    /// site has no sessions, and where a key or value is not usable. The message has the file, the line and the
    /// column.
    pub fn from_astro(path: impl AsRef<Path>) -> Result<Config> {
        let path = path.as_ref();
        match told::of_site(path)? {
            Some(config) => Ok(config),
            None => read(path, &cloakroom_astro_config::variable),
        }
    }
}

fn read(path: &Path, environment: Environment<'_>) -> Result<Config> {
    let mut astro = cloakroom_astro_config::read(path, environment)?;
    // The rest first: a mistyped `driver` is a key of its own, and no missing driver.
    let settings = std::mem::take(&mut astro.settings);
    let file = path.display().to_string();
    let mut sources = Sources::default();
    sources.note(&settings, &file);
    let mut config = Config::read(settings)
        .map_err(|unusable| at(astro.position(&unusable.key), &unusable.message))?;
    (config.driver, config.options) = driver(astro.driver?)?;
    sources.put("driver".to_owned(), &file);
    for option in config.options.keys() {
        sources.put(format!("options.{option}"), &file);
    }
    Ok(Config { sources, ..config })
}

/// The driver's name and its options.
fn driver(driver: Driver) -> Result<(String, Map<String, Value>)> {
    match driver {
        Driver::Named { name, options } => Ok((name, options)),
        Driver::OfAdapter { package, options, position } => {
            let adapter = Adapter::of_package(&package).ok_or_else(|| {
                let message =
                    format!("what {package} keeps sessions in is not known: name `session.driver`");
                at(&position, &message)
            })?;
            let mut config =
                adapter.config().map_err(|unusable| at(&position, &unusable.message))?;
            config.options.extend(options);
            Ok((config.driver, config.options))
        }
    }
}

fn at(position: &Position, message: &str) -> Error {
    Error::config(format!("{position}: {message}"))
}

/// The sentence is the reader's, and the cause stays one.
impl From<cloakroom_astro_config::Error> for Error {
    fn from(error: cloakroom_astro_config::Error) -> Error {
        let ours = Error::config(error.to_string());
        match error.into_source() {
            Some(source) => ours.with_source(source),
            None => ours,
        }
    }
}

#[cfg(test)]
mod tests;
