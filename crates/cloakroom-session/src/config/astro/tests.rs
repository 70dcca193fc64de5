//! What a site says of its sessions, as a configuration. What is understood is tested where it is read.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::config::SameSite;

/// A site's folder with these files; the first is its configuration.
struct Project {
    folder: TempDir,
    config: String,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Project { folder, config: files[0].0.to_owned() }
    }

    fn read(&self, environment: &[(&str, &str)]) -> Result<Config> {
        let find = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        read(&self.folder.path().join(&self.config), &find)
    }

    /// A path in the folder, as options have it.
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn error(&self, environment: &[(&str, &str)]) -> String {
        let message = self.read(environment).unwrap_err().to_string();
        message.replace(&self.path(""), "")
    }
}

fn config(text: &str) -> Config {
    Project::new(&[("astro.config.mjs", text)]).read(&[]).unwrap()
}

fn error(text: &str) -> String {
    Project::new(&[("astro.config.mjs", text)]).error(&[])
}

fn options(config: &Config) -> serde_json::Value {
    config.options.clone().into()
}

#[test]
fn the_node_adapters_default_is_a_folder_of_its_cache() {
    let text = "
        // @ts-check
        import { defineConfig } from 'astro/config';
        import node from '@astrojs/node';

        // https://astro.build/config
        export default defineConfig({
            adapter: node({ mode: 'standalone' }),
        });";
    let project = Project::new(&[("astro.config.mjs", text)]);
    let config = project.read(&[]).unwrap();
    assert_eq!(config.driver, "fs-lite");
    assert_eq!(options(&config), json!({ "base": project.path("node_modules/.astro/sessions") }));
    assert!(config.cookie.secure && config.cookie.same_site == SameSite::Lax);
    assert_eq!((config.cookie.name.as_str(), config.ttl), ("astro-session", None));
}

#[test]
fn the_session_may_be_on_redis() {
    let text = "
        import { defineConfig, sessionDrivers } from 'astro/config';
        export default defineConfig({
            session: {
                driver: sessionDrivers.redis({
                    url: process.env.REDIS_URL,
                    base: 'shop',
                }),
                cookie: { name: 'my-cookie', path: '/shop', maxAge: 60 * 60, sameSite: 'strict' },
                ttl: 60 * 60 * 24,
            },
        });";
    let project = Project::new(&[("astro.config.mjs", text)]);
    let config = project.read(&[("REDIS_URL", "redis://cache:6379")]).unwrap();
    assert_eq!(config.driver, "redis");
    assert_eq!(options(&config), json!({ "url": "redis://cache:6379", "base": "shop" }));
    assert_eq!(config.ttl, Some(Duration::from_secs(86_400)));
    assert_eq!((config.cookie.name.as_str(), config.cookie.path.as_str()), ("my-cookie", "/shop"));
    assert_eq!(config.cookie.max_age, Some(3600));
    assert_eq!(config.cookie.same_site, SameSite::Strict);

    // As in Astro, an option that is undefined is left out.
    assert_eq!(options(&project.read(&[]).unwrap()), json!({ "base": "shop" }));
}

#[test]
fn the_netlify_adapters_default_is_its_blobs_and_the_cookie_stays_the_sites() {
    let config = config(
        "import { defineConfig } from 'astro/config';
        import netlify from '@astrojs/netlify';
        export default defineConfig({
            adapter: netlify(),
            session: { cookie: 'shop-session', ttl: 3600 },
        });",
    );
    assert_eq!(config.driver, "netlify-blobs");
    assert_eq!(options(&config), json!({ "name": "astro-sessions", "consistency": "strong" }));
    assert_eq!(config.cookie.name, "shop-session");
}

#[test]
fn the_cloudflare_adapters_default_is_its_key_value_store_on_the_binding_that_it_names() {
    let with = |options: &str| {
        let text = format!(
            "import cloudflare from '@astrojs/cloudflare';
            export default {{ adapter: cloudflare({options}) }};"
        );
        config(&text)
    };
    assert_eq!(with("").driver, "cloudflare-kv-binding");
    assert_eq!(options(&with("")), json!({ "binding": "SESSION" }));
    let named = with("{ imageService: choose(), sessionKVBindingName: 'MY_SESSION' }");
    assert_eq!(options(&named), json!({ "binding": "MY_SESSION" }));
}

#[test]
fn a_file_is_read_by_its_extension() {
    for (name, text) in [
        ("astro.config.mjs", "export default { session: { driver: 'memory' } };"),
        ("astro.config.js", "export default { session: { driver: 'memory' } };"),
        ("astro.config.cjs", "module.exports = { session: { driver: 'memory' } };"),
        ("astro.config.mts", "export default { session: { driver: 'memory' as string } };"),
        (
            "astro.config.ts",
            "import type { AstroUserConfig } from 'astro';
            const driver: string = 'memory';
            export default { session: { driver } as const } satisfies AstroUserConfig;",
        ),
    ] {
        let project = Project::new(&[(name, text)]);
        let config = Config::from_file(project.path(name)).unwrap();
        assert_eq!(config.driver, "memory", "{name}");
    }
}

#[test]
fn a_wrong_key_or_value_has_its_place() {
    let with = |text: &str| {
        error(&format!(
            "export default {{\n  session: {{\n    driver: 'memory',\n    {text}\n  }},\n}};"
        ))
    };
    assert_eq!(
        with("cookie: { name: 'a', samesite: 'lax' },"),
        "astro.config.mjs:4:26: unknown key `cookie.samesite` in the configuration: did you mean `cookie.sameSite`?"
    );
    assert!(with("tttl: 5").starts_with("astro.config.mjs:4:5: unknown key `tttl`"));
    assert!(
        error("export default { session: { drvier: 'redis' } };")
            .contains("did you mean `driver`?")
    );
    assert!(with("ttl: 0").starts_with("astro.config.mjs:4:5: ttl is 0"));
    assert!(with("ttl: 'soon'").starts_with("astro.config.mjs:4:5: ttl is \"soon\""));
    assert!(
        with("cookie: { sameSite: 'loose' }")
            .starts_with("astro.config.mjs:4:15: cookie.sameSite is")
    );
    assert!(with("cookie: 7").starts_with("astro.config.mjs:4:5: cookie is 7"));
}

#[test]
fn an_adapter_without_a_default_driver_is_told_to_name_one() {
    let message = error(
        "import vercel from '@astrojs/vercel/serverless';\nexport default { adapter: vercel() };",
    );
    assert!(message.starts_with("astro.config.mjs:2:18: Vercel has no default store"), "{message}");
    let message =
        error("import deno from '@deno/astro-adapter';\nexport default { adapter: deno() };");
    assert!(
        message.contains("what @deno/astro-adapter keeps sessions in is not known"),
        "{message}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named_and_why() {
    let project = Project::new(&[("other.config.mjs", "")]);
    let missing = Config::from_astro(project.path("astro.config.mjs")).unwrap_err();
    assert!(missing.to_string().contains("astro.config.mjs"), "{missing}");
    let cause = std::error::Error::source(&missing).and_then(|cause| cause.downcast_ref());
    assert_eq!(cause.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
}

#[test]
fn a_place_that_the_site_tells_is_relative_to_its_root() {
    let at = |driver: &str, option: &str, place: &str| {
        let told = format!(
            r#"{{ "astroConfig": "astro.config.mjs", "driver": "{driver}", "options": {{ "{option}": "{place}" }} }}"#
        );
        let project = Project::new(&[("astro.config.mjs", ""), (".astro/cloakroom.json", &told)]);
        let config = Config::from_astro(project.path("astro.config.mjs")).unwrap();
        let place = config.options.get(option).and_then(|place| place.as_str()).unwrap().to_owned();
        place.replace(&project.path(""), "ROOT/")
    };
    assert_eq!(at("fs-lite", "base", "sessions"), "ROOT/sessions");
    assert_eq!(at("fs-lite", "base", "/srv/sessions"), "/srv/sessions");
    for url in ["sqlite:data/a.db", "sqlite://data/a.db"] {
        assert_eq!(at("db0", "url", url), "sqlite:ROOT/data/a.db");
    }
    assert_eq!(at("fs-lite", "base", "//srv/sessions"), "//srv/sessions");
    assert_eq!(at("redis", "path", ""), "");
    for url in [
        "sqlite:/srv/a.db",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:file:a.db?mode=ro",
        "postgres://localhost/a",
    ] {
        assert_eq!(at("db0", "url", url), url);
    }
}

#[test]
fn what_the_site_has_told_is_taken_as_long_as_it_is_fresh() {
    let source = "import cloakroom from '@cloakroom/astro';
        export default make({ integrations: [cloakroom()] });";
    let told = r#"{
        "astroConfig": "astro.config.mjs",
        "driver": "fs-lite",
        "options": { "base": "sessions" },
        "cookie": { "secure": false, "name": "told" },
        "idle": 60
    }"#;
    let project = Project::new(&[("astro.config.mjs", source), (".astro/cloakroom.json", told)]);
    let path = project.folder.path().join("astro.config.mjs");
    let config = Config::from_astro(&path).unwrap();
    assert_eq!((config.driver.as_str(), config.cookie.name.as_str()), ("fs-lite", "told"));
    assert_eq!(options(&config), json!({ "base": project.path("sessions") }));
    assert_eq!(config.idle, Some(Duration::from_secs(60)));
    // It is about one file alone, and no copy of it is.
    let other = project.folder.path().join("other.config.mjs");
    fs::copy(&path, &other).unwrap();
    assert!(Config::from_astro(&other).is_err());
    fs::remove_file(&other).unwrap();
    Config::from_astro(&path).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert!(Config::from_astro(&path).is_err(), "the source cannot be read, and counts again");
}

#[cfg(all(feature = "encryption", feature = "hash-ids"))]
#[test]
fn that_ids_are_hashed_and_records_sealed_is_told_and_is_not_forgotten_where_that_is_old() {
    let source = "export default { session: { driver: 'memory' } };";
    let told = r#"{
        "astroConfig": "astro.config.mjs",
        "driver": "memory",
        "hashIds": true,
        "encryption": { "keyFile": "keys", "acceptPlain": true }
    }"#;
    let project = Project::new(&[("astro.config.mjs", source), (".astro/cloakroom.json", told)]);
    let path = project.folder.path().join("astro.config.mjs");
    let config = Config::from_astro(&path).unwrap();
    assert!(config.hash_ids.is_some());
    let encryption = config.encryption.unwrap();
    assert!(encryption.accept_plain);
    assert_eq!(encryption.key_file, Some(project.folder.path().join("keys")));
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let error = Config::from_astro(&path).unwrap_err().to_string();
    assert!(error.contains("start or build the site, so that it tells anew"), "{error}");
}
