//! Which store it is and where, by the names of unstorage and of `@netlify/blobs`.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;

use super::NAME;
use crate::common::http::{Address, Secret, encoded};
use cloakroom_storage::{Error, Result, options};

/// The variable in which Netlify says where its blobs are.
const CONTEXT: &str = "NETLIFY_BLOBS_CONTEXT";

const API: &str = "https://api.netlify.com";

/// Where Netlify keeps blobs.
const REGIONS: [&str; 5] =
    ["us-east-1", "us-east-2", "eu-central-1", "ap-southeast-1", "ap-southeast-2"];

/// unstorage's options and those of `@netlify/blobs`.
///
/// On Netlify the variable `NETLIFY_BLOBS_CONTEXT` says all but the name, so that `{ name: "astro-sessions", consistency:
/// "strong" }`, the default of Astro's adapter, is enough, and it comes before the options. Outside, a site's ID and a
/// personal access token are needed, and each read and write of a blob asks the API for an address first: two round trips
/// for one.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The store's name: 1 to 64 bytes, encoded as in a URL, without a `/`.
    pub name: Option<String>,
    /// Whether the store is the deploy's own instead, which has no name; not so by default.
    pub deploy_scoped: bool,
    /// `deployID`: which deploy's, where the environment does not say it.
    #[serde(rename = "deployID")]
    pub deploy_id: Option<String>,
    /// `siteID`: the site's ID, where the environment does not say it.
    #[serde(rename = "siteID")]
    pub site_id: Option<String>,
    /// The token, where the environment does not say it. With a site's ID, the environment is not asked about a store that
    /// has a name.
    pub token: Option<String>,
    /// `apiURL`: where Netlify's API is, `https://api.netlify.com` by default.
    #[serde(rename = "apiURL")]
    pub api_url: Option<String>,
    /// `edgeURL`: where the blobs are reached without the API, from within Netlify.
    #[serde(rename = "edgeURL")]
    pub edge_url: Option<String>,
    /// `uncachedEdgeURL`: where that is without a cache in between. It counts only with an `edgeURL`.
    #[serde(rename = "uncachedEdgeURL")]
    pub uncached_edge_url: Option<String>,
    /// Where the store is, as in `us-east-1`. By default Netlify chooses; a deploy's store is where the environment says.
    pub region: Option<String>,
    /// Whether a cache may answer.
    ///
    /// DIFFERENCE: without it, JavaScript reads from the edge's cache, which may be a minute behind. A session has to be as
    /// it was left, so it is `strong` here wherever there is an `uncachedEdgeURL`. `eventual` is done as it is told.
    pub consistency: Option<Consistency>,
}

/// Whether a cache may answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Consistency {
    /// No: what is read is what was written last.
    Strong,
    /// Yes, and it may be a minute behind.
    Eventual,
}

/// What Netlify says in the environment.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    #[serde(rename = "deployID")]
    deploy: Option<String>,
    #[serde(rename = "siteID")]
    site: Option<String>,
    token: Option<String>,
    #[serde(rename = "apiURL")]
    api: Option<String>,
    #[serde(rename = "edgeURL")]
    edge: Option<String>,
    #[serde(rename = "uncachedEdgeURL")]
    uncached_edge: Option<String>,
    #[serde(rename = "primaryRegion")]
    region: Option<String>,
}

/// A store, and the way to it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) token: Secret,
    pub(super) route: Route,
    /// What the paths of the store begin with.
    pub(super) root: String,
    /// Where the store is, where the API has to be told.
    pub(super) region: Option<String>,
}

/// How an item is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// By its own address, within Netlify.
    Edge,
    /// By an address that the API signs, from outside.
    Signed,
}

impl Place {
    /// The store that the options name, with what the environment says of the way to it.
    pub(super) fn new(
        mut options: Options,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Place> {
        let is_whole = options.site_id.is_some() && options.token.is_some();
        // As in JavaScript: who names a site and a token of their own is not on Netlify.
        let context = match options.deploy_scoped || !is_whole {
            true => environment(CONTEXT).map(|text| Context::read(&text)).transpose()?,
            false => None,
        };
        let mut context = context.unwrap_or_default();
        let missing = |option: &str| {
            let message = format!(
                "the option `{option}` is needed outside Netlify, which says it in `{CONTEXT}`"
            );
            invalid(message)
        };
        let site =
            context.site.take().or(options.site_id.take()).ok_or_else(|| missing("siteID"))?;
        let token =
            context.token.take().or(options.token.take()).ok_or_else(|| missing("token"))?.into();
        let edge = context.edge.take().or(options.edge_url.take());
        let uncached = context.uncached_edge.take().or(options.uncached_edge_url.take());
        let is_edge = edge.is_some();
        let region = options.region(&context, is_edge || uncached.is_some())?;
        let store = options.store(&context)?;
        let (address, route) = match edge {
            Some(edge) => (options.edge_address(&edge, uncached.as_deref())?, Route::Edge),
            None => {
                let api = context.api.as_deref().or(options.api_url.as_deref()).unwrap_or(API);
                (origin("apiURL", api)?, Route::Signed)
            }
        };
        let root = format!("/{}/{store}", encoded(&site));
        Ok(match (route, region) {
            (Route::Edge, Some(region)) => Place {
                address,
                token,
                route,
                root: format!("/region:{region}{root}"),
                region: None,
            },
            (Route::Edge, None) => Place { address, token, route, root, region: None },
            (Route::Signed, region) => {
                Place { address, token, route, root: format!("/api/v1/blobs{root}"), region }
            }
        })
    }
}

impl Options {
    /// The default options for the store of this name.
    pub fn new(name: impl Into<String>) -> Options {
        Options { name: Some(name.into()), ..Options::default() }
    }

    /// The store as paths have it.
    fn store(&self, context: &Context) -> Result<String> {
        match (&self.name, self.deploy_scoped) {
            (Some(_), true) => Err(invalid("a store that is `deployScoped` has no `name`")),
            (None, false) => Err(invalid("the option `name` is needed, or `deployScoped`")),
            (None, true) => {
                let deploy = self.deploy_id.as_ref().or(context.deploy.as_ref());
                let deploy = deploy.ok_or_else(|| invalid("the option `deployID` is needed"))?;
                let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                match (1..=24).contains(&deploy.len()) && deploy.bytes().all(is_word) {
                    true => Ok(format!("deploy:{deploy}")),
                    false => Err(invalid("option `deployID`: it is not Netlify's")),
                }
            }
            (Some(name), false) => {
                let name = encoded(name);
                match !name.is_empty() && name.len() <= 64 && !name.contains("%2F") {
                    true => Ok(format!("site:{name}")),
                    false => Err(invalid("option `name`: expected 1 to 64 bytes without a `/`")),
                }
            }
        }
    }

    /// The region that has to be named, if any.
    fn region(&self, context: &Context, is_edge: bool) -> Result<Option<String>> {
        if let Some(region) = &self.region {
            return match REGIONS.contains(&region.as_str()) {
                true => Ok(Some(region.clone())),
                false => {
                    Err(invalid(format!("option `region`: expected one of {}", REGIONS.join(", "))))
                }
            };
        }
        match (self.deploy_scoped, is_edge) {
            (false, _) => Ok(None),
            (true, false) => Ok(Some("auto".to_owned())),
            (true, true) => {
                let region = context.region.clone();
                region.map(Some).ok_or_else(|| invalid("the option `region` is needed"))
            }
        }
    }

    fn edge_address(&self, edge: &str, uncached: Option<&str>) -> Result<Address> {
        match (self.consistency, uncached) {
            (Some(Consistency::Strong), None) => Err(invalid(
                "the option `consistency` is `strong`, which needs the option `uncachedEdgeURL`",
            )),
            (Some(Consistency::Strong) | None, Some(uncached)) => {
                origin("uncachedEdgeURL", uncached)
            }
            (Some(Consistency::Eventual), _) | (None, None) => origin("edgeURL", edge),
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("deploy_scoped", &self.deploy_scoped)
            .field("site_id", &self.site_id)
            .field("region", &self.region)
            .field("consistency", &self.consistency)
            .finish_non_exhaustive()
    }
}

impl Context {
    fn read(text: &str) -> Result<Context> {
        let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
            invalid(format!("the variable `{CONTEXT}` is not as Netlify sets it"))
                .with_source(error)
        };
        let json = BASE64_STANDARD.decode(text.trim()).map_err(|error| unreadable(error.into()))?;
        serde_json::from_slice(&json).map_err(|error| unreadable(error.into()))
    }
}

/// As in JavaScript, a path in it counts for nothing.
fn origin(option: &str, text: &str) -> Result<Address> {
    let address = Address::new(NAME, option, text)?;
    let after_scheme = address.as_str().find("://").map_or(0, |at| at + 3);
    let end = address.as_str()[after_scheme..].find('/').map(|at| after_scheme + at);
    match end {
        Some(end) => Address::new(NAME, option, &address.as_str()[..end]),
        None => Ok(address),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    options::invalid(NAME, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(given: &Value, environment: impl Fn(&str) -> Option<String>) -> Result<Place> {
        let options = options::parse(NAME, given.as_object().expect("an object"))?;
        Place::new(options, environment)
    }

    fn place(given: Value, context: Option<Value>) -> Result<Place> {
        let context = context.map(|context| BASE64_STANDARD.encode(context.to_string()));
        read(&given, |name| context.clone().filter(|_| name == CONTEXT))
    }

    fn way(place: Result<Place>) -> (String, String, Option<String>) {
        let place = place.expect("a place");
        (place.address.as_str().to_owned(), place.root, place.region)
    }

    /// As Netlify sets it.
    fn context() -> Value {
        json!({
            "edgeURL": "https://edge.example/", "uncachedEdgeURL": "https://origin.example/path",
            "siteID": "site", "token": "secret", "deployID": "d1", "primaryRegion": "us-east-2",
        })
    }

    #[test]
    fn the_netlify_adapters_store_is_where_the_environment_says_and_strong() {
        let given = json!({ "name": "astro-sessions", "consistency": "strong" });
        let (address, root, _) = way(place(given, Some(context())));
        assert_eq!(address, "https://origin.example");
        assert_eq!(root, "/site/site:astro-sessions");
    }

    #[test]
    fn a_store_is_strong_where_it_can_be_unless_told_otherwise() {
        let address = |given| way(place(given, Some(context()))).0;
        assert_eq!(address(json!({ "name": "a" })), "https://origin.example");
        let eventual = json!({ "name": "a", "consistency": "eventual" });
        assert_eq!(address(eventual), "https://edge.example");
        let strong = json!({
            "name": "a", "consistency": "strong", "siteID": "s", "token": "t", "edgeURL": "https://edge.example",
        });
        let error = place(strong, None).expect_err("no uncached address").to_string();
        assert!(error.contains("`uncachedEdgeURL`"), "{error}");
    }

    #[test]
    fn outside_netlify_the_api_signs() {
        let given =
            json!({ "name": "a b", "siteID": "mine", "token": "t", "region": "eu-central-1" });
        // Who brings a site and a token of their own is not on Netlify, whatever the environment says.
        let found = place(given, Some(context())).expect("a place");
        assert_eq!(found.route, Route::Signed);
        assert_eq!(found.root, "/api/v1/blobs/mine/site:a%20b");
        assert_eq!(found.address.as_str(), API);
        assert_eq!(found.region.as_deref(), Some("eu-central-1"));
    }

    #[test]
    fn a_store_of_a_deploy_has_its_name_and_its_region() {
        let (_, root, _) = way(place(json!({ "deployScoped": true }), Some(context())));
        assert_eq!(root, "/region:us-east-2/site/deploy:d1");
        let given = json!({ "deployScoped": true, "siteID": "s", "token": "t", "deployID": "d2" });
        let (_, root, region) = way(place(given, None));
        assert_eq!((root.as_str(), region.as_deref()), ("/api/v1/blobs/s/deploy:d2", Some("auto")));
    }

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        let whole = |more: Value| {
            let mut given = json!({ "siteID": "s", "token": "t" });
            given
                .as_object_mut()
                .expect("an object")
                .extend(more.as_object().cloned().expect("one"));
            given
        };
        for (given, named) in [
            (json!({ "name": "a" }), "`siteID`"),
            (json!({ "name": "a", "siteID": "s" }), "`token`"),
            (whole(json!({})), "`name`"),
            (whole(json!({ "name": "a/b" })), "`name`"),
            (whole(json!({ "name": "ä".repeat(11) })), "`name`"),
            (whole(json!({ "name": "a", "deployScoped": true })), "`deployScoped`"),
            (whole(json!({ "deployScoped": true })), "`deployID`"),
            (whole(json!({ "deployScoped": true, "deployID": "a-b" })), "`deployID`"),
            (whole(json!({ "name": "a", "region": "mars" })), "`region`"),
            (whole(json!({ "name": "a", "consistency": "weak" })), "`consistency`"),
            (whole(json!({ "name": "a", "edgeURL": "edge" })), "`edgeURL`"),
        ] {
            let error = place(given, None).expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
        }
        let environment = |_: &str| Some("not base64".to_owned());
        let given = json!({ "name": "a" });
        let error = read(&given, environment);
        assert!(error.expect_err("no context").to_string().contains(CONTEXT));
    }
}
