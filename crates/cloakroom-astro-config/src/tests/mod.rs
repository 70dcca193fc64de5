//! Configurations as sites have them, and what is read of them.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;

mod differential;
mod environment;
mod errors;
mod expressions;
mod unsure;

/// What is read, in one.
#[derive(Debug)]
struct Read {
    /// The driver's name, or the package of the adapter whose default it is.
    driver: String,
    options: Map<String, Value>,
    settings: Map<String, Value>,
}

fn read(path: &Path, environment: Environment<'_>) -> Result<Read> {
    let AstroConfig { driver, settings, .. } = crate::read(path, environment)?;
    let (driver, options) = match driver? {
        Driver::Named { name, options } => (name, options),
        Driver::OfAdapter { package, options, .. } => (package, options),
    };
    Ok(Read { driver, options, settings })
}

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

    fn read(&self, environment: &[(&str, &str)]) -> Result<Read> {
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

fn config(text: &str) -> Read {
    Project::new(&[("astro.config.mjs", text)]).read(&[]).unwrap()
}

fn error(text: &str) -> String {
    Project::new(&[("astro.config.mjs", text)]).error(&[])
}

fn options(config: &Read) -> serde_json::Value {
    config.options.clone().into()
}

// The styles of Astro's documentation.

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
    assert_eq!(config.driver, "@astrojs/node");
    assert_eq!(options(&config), json!({ "base": project.path("node_modules/.astro/sessions") }));
    assert!(config.settings.is_empty());
}

#[test]
fn the_cache_and_the_root_may_be_elsewhere() {
    let text = "
        import node from '@astrojs/node';
        export default { root: './site', cacheDir: '../cache', adapter: node({ mode: 'middleware' }) };";
    let project = Project::new(&[("astro.config.mjs", text)]);
    assert_eq!(
        options(&project.read(&[]).unwrap()),
        json!({ "base": project.path("cache/sessions") })
    );
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
    let cookie =
        json!({ "name": "my-cookie", "path": "/shop", "maxAge": 3600, "sameSite": "strict" });
    assert_eq!(json!(config.settings), json!({ "cookie": cookie, "ttl": 86_400 }));

    // As in Astro, an option that is undefined is left out.
    assert_eq!(options(&project.read(&[]).unwrap()), json!({ "base": "shop" }));
}

#[test]
fn the_session_may_be_on_upstash_under_another_name_for_the_helpers() {
    let text = "
        import { defineConfig, sessionDrivers as drivers } from 'astro/config';
        import vercel from '@astrojs/vercel';
        const { UPSTASH_URL: url, UPSTASH_TOKEN: token = 'none' } = process.env;
        export default defineConfig({
            adapter: vercel(),
            session: { driver: drivers.upstash({ url, token }) },
        });";
    let project = Project::new(&[("astro.config.ts", text)]);
    let config = project.read(&[("UPSTASH_URL", "https://example.upstash.io")]).unwrap();
    assert_eq!(config.driver, "upstash");
    assert_eq!(options(&config), json!({ "url": "https://example.upstash.io", "token": "none" }));
}

#[test]
fn the_driver_may_be_that_of_the_adapter_and_the_cookie_stays_the_sites() {
    let config = config(
        "import { defineConfig } from 'astro/config';
        import netlify from '@astrojs/netlify';
        export default defineConfig({
            adapter: netlify(),
            session: { cookie: 'shop-session', ttl: 3600 },
        });",
    );
    assert_eq!((config.driver.as_str(), options(&config)), ("@astrojs/netlify", json!({})));
    assert_eq!(json!(config.settings), json!({ "cookie": "shop-session", "ttl": 3600 }));
}

#[test]
fn the_cloudflare_adapter_may_name_its_binding() {
    let with = |options: &str| {
        let text = format!(
            "import cloudflare from '@astrojs/cloudflare';
            export default {{ adapter: cloudflare({options}) }};"
        );
        config(&text)
    };
    assert_eq!(with("").driver, "@astrojs/cloudflare");
    assert_eq!(options(&with("")), json!({}));
    let named = with("{ imageService: choose(), sessionKVBindingName: 'MY_SESSION' }");
    assert_eq!(options(&named), json!({ "binding": "MY_SESSION" }));
}

#[test]
fn the_driver_may_be_its_name_beside_its_options_as_in_astro_5() {
    let with = |name: &str| {
        config(&format!(
            "export default {{ session: {{ driver: '{name}', options: {{ max: 5 }} }} }};"
        ))
    };
    for name in ["lru-cache", "lruCache", "unstorage/drivers/lru-cache"] {
        assert_eq!(
            (with(name).driver, with(name).options["max"].as_i64()),
            ("lru-cache".into(), Some(5))
        );
    }
    assert_eq!(with("cloudflareKVBinding").driver, "cloudflare-kv-binding");
}

#[test]
fn the_driver_may_be_an_entry_point_with_its_configuration() {
    let config = config(
        "export default { session: { driver: {
            entrypoint: 'unstorage/drivers/redis', config: { host: 'cache', port: 6380 },
        } } };",
    );
    assert_eq!(config.driver, "redis");
    assert_eq!(options(&config), json!({ "host": "cache", "port": 6380 }));
}

#[test]
fn the_session_may_be_an_experiment_as_in_astro_5_1() {
    let with = |text: &str| config(&format!("export default {{ {text} }};")).driver;
    assert_eq!(with("experimental: { session: true }, session: { driver: 'memory' }"), "memory");
    assert_eq!(with("experimental: { session: { driver: 'memory' }, svg: true }"), "memory");
}

#[test]
fn files_are_where_astros_server_finds_them() {
    let base = |driver: &str, root: &str| {
        let text = format!(
            "import {{ sessionDrivers }} from 'astro/config';
            export default {{ {root} session: {{ driver: {driver} }} }};"
        );
        let project = Project::new(&[("site/astro.config.mjs", &text)]);
        let config = project.read(&[]).unwrap();
        assert_eq!(config.driver, "fs-lite");
        config.options["base"].as_str().unwrap().replace(&project.path(""), "")
    };
    assert_eq!(base("sessionDrivers.fs({ base: '.data' })", ""), "site/.data");
    assert_eq!(base("sessionDrivers.fsLite({ base: './.data/' })", ""), "site/.data");
    assert_eq!(base("sessionDrivers.fs({ base: '.data' })", "root: '..',"), ".data");
    assert_eq!(base("sessionDrivers.fsLite({ base: '/srv/sessions' })", ""), "/srv/sessions");
    // Astro's own default.
    assert_eq!(base("sessionDrivers.fs()", ""), "site/.astro/session");
    assert_eq!(base("'fs'", ""), "site/.astro/session");
}

#[test]
fn a_socket_of_redis_is_where_astros_server_finds_it() {
    let text = "
        import { sessionDrivers } from 'astro/config';
        export default { session: { driver: sessionDrivers.redis({ path: 'redis.sock' }) } };";
    let project = Project::new(&[("astro.config.mjs", text)]);
    assert_eq!(options(&project.read(&[]).unwrap()), json!({ "path": project.path("redis.sock") }));
}

#[test]
fn files_beside_it_are_followed() {
    let project = Project::new(&[
        (
            "redis-options.config.mjs",
            "import { sessionDrivers } from 'astro/config';
            import config, { path } from './redis.config.mjs';
            export const options = { base: 'site:sessions', ttl: 600 };
            export default {
                ...config,
                outDir: './dist-redis-options',
                session: { driver: sessionDrivers.redis({ path, ...options }) },
            };",
        ),
        (
            "redis.config.mjs",
            "import config from './astro.config.mjs';
            export const path = 'redis.sock';
            export default { ...config, session: { driver: 'memory' } };",
        ),
        (
            "astro.config.mjs",
            "import { defineConfig } from 'astro/config';
            export default defineConfig({ output: 'server' });",
        ),
    ]);
    let config = project.read(&[]).unwrap();
    assert_eq!(config.driver, "redis");
    assert_eq!(
        options(&config),
        json!({ "path": project.path("redis.sock"), "base": "site:sessions", "ttl": 600 })
    );
}

#[test]
fn nothing_is_looked_at_that_the_session_does_not_need() {
    let config = config(
        "import mdx from '@astrojs/mdx';
        import { loadEnv } from 'vite';
        import { secrets } from './not-there.mjs';
        const env = loadEnv('production', process.cwd(), '');
        function site() { return env.SITE; }
        export default {
            ...secrets,
            site: site(),
            integrations: [mdx(secrets), { hooks: { 'astro:build:done': async () => {} } }],
            vite: { plugins: [env.PLUGIN] },
            get server() { return env.SERVER; },
            session: { driver: 'memory' },
        };",
    );
    assert_eq!(config.driver, "memory");
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
        let config = project.read(&[]).unwrap();
        assert_eq!(config.driver, "memory", "{name}");
    }
}
