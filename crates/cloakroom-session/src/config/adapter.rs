//! Where a platform keeps sessions unless it is told, as Astro's adapters have it.

use serde_json::{Map, Value};

use super::Config;
use super::fields::{Result, Unusable, described, nearest};

/// A platform that Astro has an adapter for (`adapter` in TOML, JSON and the environment: `"netlify"`).
///
/// It says which driver sessions are in where none is named; a `driver` always wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Adapter {
    /// A server of one's own: `fs-lite`, in `.data/sessions`.
    Node,
    /// Netlify: `netlify-blobs`, in the store `astro-sessions` with strong consistency.
    Netlify,
    /// Cloudflare: `cloudflare-kv-binding`, on the binding `SESSION`.
    Cloudflare,
    /// Vercel, which has no default: a driver has to be named.
    Vercel,
}

const ADAPTERS: [Adapter; 4] =
    [Adapter::Node, Adapter::Netlify, Adapter::Cloudflare, Adapter::Vercel];

/// The variables that a platform sets, in builds, in functions and by its local tools; all of a row are needed.
const SIGNS: [(&[&str], Adapter); 6] = [
    (&["NETLIFY"], Adapter::Netlify),
    (&["NETLIFY_LOCAL"], Adapter::Netlify),
    // All that Netlify's functions have. One of them alone could be anybody's.
    (&["SITE_ID", "SITE_NAME"], Adapter::Netlify),
    (&["VERCEL"], Adapter::Vercel),
    (&["CF_PAGES"], Adapter::Cloudflare),
    (&["WORKERS_CI"], Adapter::Cloudflare),
];

impl Adapter {
    /// The platform that this process runs on, by the environment variables that it documents.
    ///
    /// ```
    /// use cloakroom_session::Adapter;
    ///
    /// // None on a machine of one's own.
    /// let platform: Option<Adapter> = Adapter::detect();
    /// ```
    pub fn detect() -> Option<Adapter> {
        Adapter::detect_in(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    fn detect_in(is_set: impl Fn(&str) -> bool) -> Option<Adapter> {
        let is_there = |names: &[&str]| names.iter().all(|name| is_set(name));
        SIGNS.iter().find(|(names, _)| is_there(names)).map(|(_, adapter)| *adapter)
    }

    /// What configurations call it: `netlify`.
    ///
    /// ```
    /// use cloakroom_session::Adapter;
    ///
    /// assert_eq!(Adapter::Netlify.name(), "netlify");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Adapter::Node => "node",
            Adapter::Netlify => "netlify",
            Adapter::Cloudflare => "cloudflare",
            Adapter::Vercel => "vercel",
        }
    }

    /// The adapter of one of Astro's packages: `@astrojs/netlify`, and `@astrojs/netlify/functions` of old.
    #[cfg(feature = "astro-config")]
    pub(super) fn of_package(package: &str) -> Option<Adapter> {
        let name = package.strip_prefix("@astrojs/")?.split('/').next();
        ADAPTERS.into_iter().find(|adapter| Some(adapter.name()) == name)
    }

    pub(super) fn from_value(value: &Value) -> Result<Adapter> {
        let names = ADAPTERS.map(Adapter::name);
        let name = value.as_str().unwrap_or_default();
        if let Some(adapter) = ADAPTERS.into_iter().find(|adapter| adapter.name() == name) {
            return Ok(adapter);
        }
        let advice = match nearest(name, &names) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("it can be one of {}", names.join(", ")),
        };
        Err(Unusable::new("adapter", format!("adapter is {}: {advice}", described(value))))
    }

    /// The configuration with its default driver.
    pub(super) fn config(self) -> Result<Config> {
        match self {
            Adapter::Node => Ok(Config::default()),
            Adapter::Netlify => Ok(Config::new("netlify-blobs")
                .option("name", "astro-sessions")
                .option("consistency", "strong")),
            Adapter::Cloudflare => {
                Ok(Config::new("cloudflare-kv-binding").option("binding", "SESSION"))
            }
            Adapter::Vercel => Err(Unusable::new(
                "adapter",
                "Vercel has no default store for sessions: name a driver, such as \"redis\"",
            )),
        }
    }
}

impl Config {
    /// The configuration with the platform's default driver, everything else as by default.
    ///
    /// ```
    /// use cloakroom_session::{Adapter, Config};
    ///
    /// let config = Config::for_adapter(Adapter::Netlify)?;
    /// assert_eq!(config.driver, "netlify-blobs");
    /// assert_eq!(config.options["name"], "astro-sessions");
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the platform has none: on Vercel.
    pub fn for_adapter(adapter: Adapter) -> crate::error::Result<Config> {
        Ok(adapter.config()?)
    }
}

/// Names the adapter where nothing says where sessions are.
pub(super) fn fill_in(map: &mut Map<String, Value>, detected: Option<Adapter>) {
    let says = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
    if let Some(adapter) = detected
        && !says("driver")
        && !says("adapter")
    {
        map.insert("adapter".to_owned(), adapter.name().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(variables: &[&str]) -> Option<Adapter> {
        Adapter::detect_in(|name| variables.contains(&name))
    }

    #[test]
    fn a_platform_is_known_by_the_variables_that_it_sets() {
        assert_eq!(detected(&["NETLIFY", "SITE_ID"]), Some(Adapter::Netlify));
        assert_eq!(detected(&["NETLIFY_LOCAL"]), Some(Adapter::Netlify));
        assert_eq!(detected(&["SITE_ID", "SITE_NAME", "URL"]), Some(Adapter::Netlify));
        assert_eq!(detected(&["VERCEL", "VERCEL_ENV"]), Some(Adapter::Vercel));
        assert_eq!(detected(&["CF_PAGES"]), Some(Adapter::Cloudflare));
        assert_eq!(detected(&["WORKERS_CI"]), Some(Adapter::Cloudflare));
        assert_eq!(detected(&["SITE_ID", "URL", "CI"]), None);
        assert_eq!(detected(&[]), None);
    }

    #[test]
    fn each_adapter_keeps_sessions_where_astros_does() {
        let config = |toml: &str| Config::from_toml(toml).unwrap();
        assert_eq!(config("adapter = 'node'"), Config::default());
        let netlify = config("adapter = 'netlify'");
        assert_eq!(netlify.driver, "netlify-blobs");
        assert_eq!(
            Value::Object(netlify.options),
            serde_json::json!({ "name": "astro-sessions", "consistency": "strong" })
        );
        let cloudflare = config("adapter = 'cloudflare'\nttl = 5");
        assert_eq!(cloudflare.driver, "cloudflare-kv-binding");
        assert_eq!(Value::Object(cloudflare.options), serde_json::json!({ "binding": "SESSION" }));
    }

    #[test]
    fn an_option_goes_over_the_adapters_own() {
        let config = Config::from_toml("adapter = 'netlify'\noptions = { name = 'shop' }").unwrap();
        assert_eq!(config.options["name"], "shop");
        assert_eq!(config.options["consistency"], "strong");
    }

    #[test]
    fn a_driver_always_wins() {
        let config = Config::from_toml("adapter = 'vercel'\ndriver = 'redis'").unwrap();
        assert_eq!(config.driver, "redis");
        assert!(config.options.is_empty());
    }

    #[test]
    fn vercel_asks_for_a_driver() {
        let error = Config::for_adapter(Adapter::Vercel).unwrap_err().to_string();
        assert!(error.contains("Vercel") && error.contains("name a driver"), "{error}");
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_adapter() {
        let error = |value: &str| Config::from_toml(value).unwrap_err().to_string();
        assert_eq!(error("adapter = 'netlfy'"), "adapter is \"netlfy\": did you mean \"netlify\"?");
        let all = error("adapter = 7");
        assert!(all.contains("it can be one of node, netlify, cloudflare, vercel"), "{all}");
    }

    #[test]
    fn the_environment_may_name_the_adapter() {
        let variable = ("CLOAKROOM_SESSION_ADAPTER".into(), "netlify".into());
        let read = super::super::environment::read([variable].into_iter()).unwrap();
        assert_eq!(Config::from_map(read.map).unwrap().driver, "netlify-blobs");
    }

    #[test]
    fn a_detected_platform_fills_in_only_what_nothing_says() {
        let filled = |toml: &str| {
            let mut map = super::super::tables::toml(toml).unwrap();
            fill_in(&mut map, Some(Adapter::Netlify));
            Config::from_map(map).unwrap().driver
        };
        assert_eq!(filled("ttl = 5"), "netlify-blobs");
        assert_eq!(filled("driver = 'memory'"), "memory");
        assert_eq!(filled("adapter = 'cloudflare'"), "cloudflare-kv-binding");
    }
}
