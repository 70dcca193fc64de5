//! From options to a client.

use std::time::Duration;

use mongodb::Client;
use mongodb::options::{ClientOptions, ServerAddress, Tls};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{NAME, Options, failure};
use crate::common::advice::without_tls;
use cloakroom_storage::options::invalid;
use cloakroom_storage::{Advice, Error, Result};

/// How long a call waits for a server that can take it, with room for the calls of [`Retry`](cloakroom_storage::Retry) within the
/// [deadline](cloakroom_storage::DEFAULT_TIMEOUT) of them all.
const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The client, and what is unsafe on its way.
pub(super) async fn client(options: &Options) -> Result<(Client, Vec<Advice>)> {
    for (option, name, forbidden) in [
        ("databaseName", &options.database_name, "/\\. \"$\0"),
        ("collectionName", &options.collection_name, "$\0"),
    ] {
        if name.is_empty() || name.contains(|character| forbidden.contains(character)) {
            return Err(invalid(NAME, format!("option `{option}`: MongoDB takes no such name")));
        }
    }
    let whole = with_options(&options.connection_string, &options.client_options)?;
    let mut parsed = ClientOptions::parse(whole).await.map_err(failure::not_parsed)?;
    parsed.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
    parsed.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    let advice = on_the_way(&parsed);
    Ok((Client::with_options(parsed).map_err(failure::not_parsed)?, advice))
}

fn on_the_way(options: &ClientOptions) -> Vec<Advice> {
    if let Some(Tls::Enabled(_)) = &options.tls {
        return Vec::new();
    }
    let advice = options.hosts.iter().filter_map(|address| match address {
        ServerAddress::Tcp { host, .. } => {
            without_tls(host, "say `tls=true` in the connection string")
        }
        _ => None,
    });
    advice.collect()
}

/// The connection string with these options in the place of those that it has.
fn with_options(connection_string: &str, options: &Map<String, Value>) -> Result<String> {
    let (place, query) = connection_string.split_once('?').unwrap_or((connection_string, ""));
    let is_replaced = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        options.keys().any(|option| option.eq_ignore_ascii_case(name))
    };
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_replaced(pair))
        .map(str::to_owned)
        .collect();
    for (option, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err(not_a_word(option)),
        };
        pairs.push(format!("{option}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
    }
    let has_path = place.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    let slash = if pairs.is_empty() || has_path { "" } else { "/" };
    let question = if pairs.is_empty() { "" } else { "?" };
    Ok(format!("{place}{slash}{question}{}", pairs.join("&")))
}

fn not_a_word(option: &str) -> Error {
    let message = format!(
        "option `clientOptions.{option}`: only what can stand in a connection string is taken: a text, a number, or \
         true or false; a user and a password stand in `connectionString`"
    );
    invalid(NAME, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_way_to_another_machine_is_open_to_those_on_it_without_tls() {
        for (url, expected) in [
            ("mongodb://localhost,db.example", vec!["no-tls"]),
            ("mongodb://db.example/?tls=false", vec!["no-tls"]),
            ("mongodb://db.example/?tls=true", vec![]),
        ] {
            let advice = on_the_way(&ClientOptions::parse(url).await.expect(url));
            assert_eq!(advice.iter().map(Advice::code).collect::<Vec<_>>(), expected, "{url}");
        }
    }

    #[test]
    fn options_of_the_client_count_before_those_of_the_connection_string() {
        let options = json!({ "appName": "a&b", "maxPoolSize": 5, "tls": true, "w": null });
        let options = options.as_object().expect("an object");
        for (before, after) in [
            ("mongodb://a", "mongodb://a/?appName=a%26b&maxPoolSize=5&tls=true"),
            ("mongodb://a/db?", "mongodb://a/db?appName=a%26b&maxPoolSize=5&tls=true"),
            (
                "mongodb://u:p@a,b/?tls=false&replicaSet=r",
                "mongodb://u:p@a,b/?replicaSet=r&appName=a%26b&maxPoolSize=5&tls=true",
            ),
        ] {
            assert_eq!(with_options(before, options).expect("options that are right"), after);
            let none = Map::new();
            let untouched = before.trim_end_matches('?');
            assert_eq!(with_options(before, &none).expect("no options"), untouched);
        }
    }
}
