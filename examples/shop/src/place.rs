//! Where the sessions are, in words that hold no secret.

use cloakroom::Config;
use url::Url;

/// `fs-lite, .data/sessions`.
pub(crate) fn place(config: &Config) -> String {
    let option = |name: &str| config.options.get(name).and_then(|value| value.as_str());
    let place = match config.driver.as_str() {
        "memory" | "lru-cache" => "this process".to_owned(),
        "null" => "nowhere".to_owned(),
        _ => match option("url") {
            Some(url) => address(url),
            None => option("base")
                .or_else(|| option("name"))
                .or_else(|| option("host"))
                .or_else(|| option("path"))
                .and_then(|place| match place.contains("://") {
                    true => address(place),
                    false => Some(place.to_owned()),
                }),
        }
        .unwrap_or_else(|| "as configured".to_owned()),
    };
    format!("{}, {place}", config.driver)
}

/// The URL without its user, its password and its parameters, which may hold another one.
fn address(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    if url.has_host() {
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
    } else if url.scheme() != "sqlite" {
        // Not a URL as it should be: a password may stand anywhere.
        return None;
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(driver: &str, option: &str, value: &str) -> String {
        place(&Config::new(driver).option(option, value))
    }

    #[test]
    fn a_place_is_an_address_without_user_password_and_parameters() {
        for (driver, url, expected) in [
            ("redis", "redis://localhost:6379", "redis, redis://localhost:6379"),
            ("redis", "rediss://me:secret@cache.example/2", "redis, rediss://cache.example/2"),
            ("redis", "redis://:secret@cache.example", "redis, redis://cache.example"),
            ("sql", "postgres://me:secret@db.example/shop", "sql, postgres://db.example/shop"),
            (
                "sql",
                "postgres://db.example/shop?password=secret",
                "sql, postgres://db.example/shop",
            ),
            (
                "db0",
                "mysql://me:se%40cret@db.example:3307/shop",
                "db0, mysql://db.example:3307/shop",
            ),
            ("sql", "sqlite:.data/sessions.db?mode=rwc", "sql, sqlite:.data/sessions.db"),
        ] {
            assert_eq!(shown(driver, "url", url), expected);
        }
    }

    #[test]
    fn what_is_no_url_is_not_shown() {
        for url in ["me:secret@cache.example", "secret", "redis://me:sec/ret@cache.example", ""] {
            let shown = shown("redis", "url", url);
            assert!(!shown.contains("sec"), "{shown}");
        }
    }

    #[test]
    fn a_place_without_a_url_is_what_else_names_it() {
        assert_eq!(shown("fs-lite", "base", ".data/sessions"), "fs-lite, .data/sessions");
        assert_eq!(shown("redis", "host", "cache.example"), "redis, cache.example");
        assert_eq!(shown("redis", "path", "/run/redis.sock"), "redis, /run/redis.sock");
        assert_eq!(shown("redis", "password", "secret"), "redis, as configured");
        let shown_url = shown("http", "base", "https://me:secret@storage.example/shop");
        assert_eq!(shown_url, "http, https://storage.example/shop");
        assert_eq!(shown("memory", "base", "anything"), "memory, this process");
    }
}
