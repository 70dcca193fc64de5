//! Which store is meant.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use cloakroom_session::Config;
use serde_json::Value;

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

    /// An option of the driver, by unstorage's name, as in url=redis://localhost:6379; may be given again. A value that
    /// reads as JSON is JSON.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = option)]
    options: Vec<(String, Value)>,
}

impl Store {
    /// The configuration that was chosen.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn config(&self) -> Result<Config, Box<dyn Error>> {
        let mut config = match (&self.config, &self.driver) {
            (Some(path), _) => Config::from_file(path)?,
            (None, Some(driver)) => Config::new(driver),
            (None, None) => Config::load()?,
        };
        config.options.extend(self.options.iter().cloned());
        Ok(config)
    }
}

fn option(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("it must be NAME=VALUE, as in base=.data/sessions")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_option_is_json_where_it_reads_as_json_and_else_a_text() {
        for (text, name, value) in [
            ("url=redis://localhost:6379/?a=b", "url", json!("redis://localhost:6379/?a=b")),
            ("max=500", "max", json!(500)),
            ("sync=true", "sync", json!(true)),
            ("base=", "base", json!("")),
            ("cluster=[{\"port\":1}]", "cluster", json!([{ "port": 1 }])),
        ] {
            assert_eq!(option(text), Ok((name.to_owned(), value)));
        }
        assert!(option("url").is_err() && option("=x").is_err());
    }
}
