//! Reads the session's part of an Astro site's configuration, without running it.

mod dotenv;
mod effects;
mod evaluate;
mod flow;
mod import_meta;
mod known;
mod load;
mod members;
mod module;
mod modules;
mod operators;
mod outside;
mod paths;
mod resolve;
mod scan;
mod session;
mod value;
mod variables;

use std::path::Path;

use oxc::allocator::Allocator;

use super::Config;
use crate::error::{Error, Result};
use evaluate::{Environment, Evaluator};

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
    /// An environment variable is that of this process; `NODE_ENV` is `production` where it is not set.
    ///
    /// Where no driver is named, it is the default of the site's adapter. A relative folder of files or path of a
    /// socket is taken from the project's root (`root`, and else the file's folder), which is where Astro's server
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
        read(path.as_ref(), &|name| {
            // As Node does it with what is not UTF-8.
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }
}

/// The parser goes as deep as the file does, so it gets a stack for the deepest file that is read. Memory is taken for
/// what is used of it.
const STACK: usize = 256 * 1024 * 1024;

fn read(path: &Path, environment: Environment<'_>) -> Result<Config> {
    let shown = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| {
        Error::config(format!("the configuration file {shown}: {error}"))
    };
    let path = std::path::absolute(path).map_err(|error| failed(&error).with_source(error))?;
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            let allocator = Allocator::default();
            let mut evaluator = Evaluator::new(&allocator, environment);
            let module = evaluator.modules.open(&paths::normal(&path), shown.clone())?;
            session::read(&mut evaluator, module)
        });
        let reader = reader.map_err(|error| failed(&error).with_source(error))?;
        reader.join().unwrap_or_else(|_| Err(failed(&"the parser cannot cope with it")))
    })
}

#[cfg(test)]
mod tests;
