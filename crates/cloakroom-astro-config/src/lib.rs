//! Reads what an Astro site's configuration says of its sessions, without running it.
//!
//! `astro.config.mjs` is a program. This crate parses it, follows what the session's part is made of, and says what Astro
//! would read there. What only running the file would show is an [`Error`] that has its place and the reason. It knows
//! nothing of what becomes of it: users of Cloakroom call `Config::from_astro`, which makes a configuration of it.
//!
//! | module | concept |
//! |---|---|
//! | `site` | what the session's part of a site's configuration means |
//! | `place` | which options name a folder, a file or a socket |
//! | `evaluate`, `members`, `operators`, `value` | expressions, evaluated as far as they are the same in every run |
//! | `outside`, `known` | what packages, Node and JavaScript itself bring |
//! | `modules`, `module`, `resolve`, `paths` | the files: which there are, in which order they are run |
//! | `scan`, `flow`, `effects` | what a file may change after it was made |
//! | `variables`, `load`, `dotenv`, `import_meta` | the environment, and files that are read into it |

mod dotenv;
mod effects;
mod error;
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
mod place;
mod resolve;
mod scan;
mod site;
mod value;
mod variables;

use std::collections::BTreeMap;
use std::path::Path;

use oxc::allocator::Allocator;
use serde_json::{Map, Value};

use evaluate::Evaluator;

pub use error::{Error, ErrorKind, Position, Result};
pub use evaluate::Environment;
pub use place::resolve_place;

/// What a site's configuration says of its sessions.
#[derive(Debug)]
#[non_exhaustive]
pub struct AstroConfig {
    /// What keeps them. Apart from an error of the whole, because what is wrong with the settings may be the reason: a
    /// mistyped `driver` is a setting that nobody knows.
    pub driver: Result<Driver>,
    /// Everything else in `session`, such as `cookie` and `ttl`, as JSON has it. Nothing was checked.
    pub settings: Map<String, Value>,
    /// Where each setting is written.
    positions: BTreeMap<String, Position>,
    /// Where all of it is.
    session: Position,
}

/// What keeps a site's sessions.
#[derive(Clone, Debug, PartialEq)]
pub enum Driver {
    /// What `session.driver` names.
    Named {
        /// As unstorage calls it: `fs-lite`.
        name: String,
        /// Its options. A folder or a socket is an absolute path.
        options: Map<String, Value>,
    },
    /// Nothing is named, so it is the default of the site's adapter.
    OfAdapter {
        /// The adapter's package: `@astrojs/node`.
        package: String,
        /// What the site says of it, to go over the adapter's own options.
        options: Map<String, Value>,
        /// Where the adapter is written.
        position: Position,
    },
}

impl AstroConfig {
    /// Where a setting is written, by its name as in `cookie.sameSite`; of one that is not there, where its table is.
    pub fn position(&self, setting: &str) -> &Position {
        let table = setting.split('.').next().unwrap_or_default();
        let known = self.positions.get(setting).or_else(|| self.positions.get(table));
        known.unwrap_or(&self.session)
    }
}

/// A variable of this process's environment, as Node has it.
pub fn variable(name: &str) -> Option<String> {
    // As Node does it with what is not UTF-8.
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The parser goes as deep as the file does, so it gets a stack for the deepest file that is read. Memory is taken for
/// what is used of it.
const STACK: usize = 256 * 1024 * 1024;

/// Reads a site's configuration, and the files that it imports, with these variables of the environment.
///
/// ```no_run
/// use std::path::Path;
///
/// let path = Path::new("../site/astro.config.mjs");
/// let config = cloakroom_astro_config::read(path, &cloakroom_astro_config::variable)?;
/// println!("{:?}", config.driver?);
/// # Ok::<(), cloakroom_astro_config::Error>(())
/// ```
///
/// # Errors
/// Where a file cannot be read, where a part that the session needs is not known without running it, and where the site has
/// no sessions.
pub fn read(path: &Path, environment: Environment<'_>) -> Result<AstroConfig> {
    let shown = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| {
        Error::unreadable(format!("the configuration file {shown}: {error}"))
    };
    let path = std::path::absolute(path).map_err(|error| failed(&error).with_source(error))?;
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            let allocator = Allocator::default();
            let mut evaluator = Evaluator::new(&allocator, environment);
            let module = evaluator.modules.open(&paths::normal(&path), shown.clone())?;
            site::read(&mut evaluator, module)
        });
        let reader = reader.map_err(|error| failed(&error).with_source(error))?;
        reader.join().unwrap_or_else(|_| Err(failed(&"the parser cannot cope with it")))
    })
}

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
