//! Which store is meant.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use cloakroom_session::{Config, Sessions};
use cloakroom_storage::DynDriver;
use serde_json::Value;

use crate::output::say;

/// How a store is chosen.
#[derive(Args, Debug)]
pub(crate) struct Store {
    /// The configuration of the sessions: TOML or JSON, the shape of Astro's `session`. Without it and without --driver,
    /// cloakroom.toml or cloakroom.json in this folder, and the variables CLOAKROOM_SESSION_… over it.
    #[arg(long, value_name = "FILE", conflicts_with = "driver")]
    config: Option<PathBuf>,

    /// The store, by unstorage's name: memory, fs-lite, redis …
    #[arg(long, value_name = "NAME")]
    driver: Option<String>,

    /// An option of the driver, by unstorage's name, as in url=redis://localhost:6379; may be given again. A
    /// text is taken as it is; a number, a switch, a list or a table as JSON writes it.
    // It is not clap that takes it apart, whose message would have all of it, with the password in it.
    #[arg(long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
}

impl Store {
    /// The configuration that was chosen.
    ///
    /// # Errors
    /// When it cannot be read, or an option is none.
    pub(crate) fn config(&self) -> Result<Config, Box<dyn Error>> {
        let mut config = match (&self.config, &self.driver) {
            (Some(path), _) => Config::from_file(path)?,
            (None, Some(driver)) => Config::new(driver),
            (None, None) => Config::load()?,
        };
        for text in &self.options {
            let (name, value) = option(text)?;
            config.options.insert(name, value);
        }
        Ok(config)
    }

    /// The sessions of the store that was chosen.
    ///
    /// # Errors
    /// When the configuration cannot be read, or the store cannot be opened.
    pub(crate) async fn sessions(&self) -> Result<Sessions, Box<dyn Error>> {
        open(self.config()?).await
    }

    /// The store itself, without what is configured around it.
    ///
    /// # Errors
    /// As [`Store::sessions`].
    pub(crate) async fn driver(&self) -> Result<(Config, DynDriver), Box<dyn Error>> {
        let config = self.config()?;
        announce(&config);
        let driver = config.open_driver().await?;
        Ok((config, driver))
    }
}

/// The sessions of a store, once it has been said which that is.
///
/// # Errors
/// When it cannot be opened.
pub(crate) async fn open(mut config: Config) -> Result<Sessions, Box<dyn Error>> {
    announce(&config);
    // What is looked at stays as it is.
    config.sweep_interval = None;
    Ok(Sessions::from_config(config).await?)
}

fn announce(config: &Config) {
    let place = [config.place(), missing(config).to_owned()].join(" ");
    say(format_args!("the store is `{}` {}", config.driver, place.trim()));
}

/// Of a folder that is made when the first session is: one that was misspelled looks like a store without sessions.
fn missing(config: &Config) -> &'static str {
    let is_files = ["fs-lite", "fsLite", "fs"].contains(&config.driver.as_str());
    let base = config.options.get("base").and_then(Value::as_str);
    match base.filter(|_| is_files) {
        Some(base) if !Path::new(base).exists() => "(there is no such folder yet)",
        _ => "",
    }
}

fn option(text: &str) -> Result<(String, Value), &'static str> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("what follows --option must be NAME=VALUE, as in base=.data/sessions")?;
    // The driver, which knows what it wants, reads numbers and switches out of a text.
    Ok((name.to_owned(), value.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_option_is_the_text_that_is_given() {
        for (text, name, value) in [
            ("url=redis://localhost:6379/?a=b", "url", "redis://localhost:6379/?a=b"),
            ("password=12345678901234567890123", "password", "12345678901234567890123"),
            ("max=500", "max", "500"),
            ("base=", "base", ""),
            ("cluster=[{\"port\":1}]", "cluster", "[{\"port\":1}]"),
        ] {
            assert_eq!(option(text), Ok((name.to_owned(), json!(value))));
        }
    }

    #[test]
    fn an_option_that_is_none_is_not_shown() {
        for text in ["url", "=x", "redis://user:hunter2@h"] {
            let error = option(text).unwrap_err();
            assert!(error.contains("--option must be NAME=VALUE") && !error.contains("hunter2"));
        }
    }
}
