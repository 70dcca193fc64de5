//! What of JavaScript is understood.

use super::*;

/// The option `x` of a driver, in a file that declares this beforehand.
fn value_with(
    declarations: &str,
    expression: &str,
    environment: &[(&str, &str)],
) -> serde_json::Value {
    let text = format!(
        "{declarations}\nexport default {{ session: {{ driver: 'memory', options: {{ x: {expression} }} }} }};"
    );
    let project = Project::new(&[("astro.config.ts", &text)]);
    let config = project.read(environment).unwrap_or_else(|error| panic!("{expression}: {error}"));
    config.options.get("x").cloned().unwrap_or_default()
}

fn value(expression: &str) -> serde_json::Value {
    value_with("", expression, &[])
}

#[test]
fn literals_are_what_they_say() {
    assert_eq!(value("'a'"), "a");
    assert_eq!(value("`a ${1 + 1} ${'b'}`"), "a 2 b");
    assert_eq!(value("0x10"), 16);
    assert_eq!(value("1.5"), 1.5);
    assert_eq!(value("[1, , ...[2, 'c'], null, true]"), json!([1, null, 2, "c", null, true]));
    assert_eq!(
        value("{ a: { 'b-c': 1 }, ['d' + 'e']: 2, 3: 4 }"),
        json!({ "a": { "b-c": 1 }, "de": 2, "3": 4 })
    );
    assert_eq!(value("undefined"), json!(null));
}

#[test]
fn operators_are_javascripts() {
    assert_eq!(value("60 * 60 * 24"), 86_400);
    assert_eq!(value("2 ** 10 % 1000 - 4 / 2"), 22);
    assert_eq!(value("'a' + 1 + true"), "a1true");
    assert_eq!(value("1 + true"), 2);
    assert_eq!(value("-(5)"), -5);
    assert_eq!(value("!''"), true);
    assert_eq!(value("1 === 1 && 'a' !== 'b'"), true);
    assert_eq!(value("null == undefined"), true);
    assert_eq!(value("'1' == 1"), true);
    assert_eq!(value("0 ?? 1"), 0);
    assert_eq!(value("0 || 1"), 1);
    assert_eq!(value("undefined ?? 'b'"), "b");
    assert_eq!(value("2 > 1 ? 'yes' : unknown()"), "yes");
}

#[test]
fn conversions_are_javascripts() {
    assert_eq!(value("Number('42')"), 42);
    assert_eq!(value("parseInt('3600s')"), 3600);
    assert_eq!(value("Number.parseInt('10', 10)"), 10);
    assert_eq!(value("parseFloat('1.5h')"), 1.5);
    assert_eq!(value("String(5)"), "5");
    assert_eq!(value("(5).toString()"), "5");
    assert_eq!(value("Boolean('')"), false);
    assert_eq!(value("' a '.trim()"), "a");
}

#[test]
fn names_stand_for_what_they_are_declared_as() {
    let declared = |declarations, expression| value_with(declarations, expression, &[]);
    assert_eq!(declared("const hour = 60 * 60; const day = 24 * hour;", "day"), 86_400);
    assert_eq!(declared("let never = 'changed';", "never"), "changed");
    assert_eq!(
        declared("const { a: { b = 1, c = 2 }, d } = { a: { b: 3 }, d: 4 };", "[b, c, d]"),
        json!([3, 2, 4])
    );
    assert_eq!(
        declared("const [first, , third = 3] = ['a', 'b'];", "[first, third]"),
        json!(["a", 3])
    );
    assert_eq!(
        declared("const options = { a: 1, b: { c: [2] } } as const;", "options.b['c'][0]"),
        2
    );
    assert_eq!(
        declared("const options: { a?: { b: string } } = {};", "options.a?.b.c.d ?? 'none'"),
        "none"
    );
    assert_eq!(
        declared("const options = { a: 1, ...{ b: 2 } };", "{ b: 1, ...options, a: 3 }"),
        json!({ "a": 3, "b": 2 })
    );
    assert_eq!(
        declared("const a = false; const x = 1;", "{ ...(a && { b: 1 }), x }"),
        json!({ "x": 1 })
    );
}

#[test]
fn the_environment_is_read_in_every_spelling() {
    let environment = [("A_B", "c"), ("PORT", "6380"), ("EMPTY", "")];
    let read = |declarations, expression| value_with(declarations, expression, &environment);
    for expression in
        ["process.env.A_B", "process.env['A_B']", "process?.env?.A_B", "process.env.A_B!"]
    {
        assert_eq!(read("", expression), "c", "{expression}");
    }
    assert_eq!(read("const { A_B, NONE = 'd' } = process.env;", "A_B + NONE"), "cd");
    assert_eq!(read("const env = process.env;", "Number(env.PORT ?? 6379)"), 6380);
    assert_eq!(read("import { env } from 'node:process';", "env.A_B"), "c");
    assert_eq!(read("import process from 'node:process';", "process.env.A_B"), "c");
    assert_eq!(read("", "process.env.NONE || 'd'"), "d");
    assert_eq!(read("", "process.env.EMPTY || 'd'"), "d");
    assert_eq!(read("", "process.env.NONE"), json!(null));
    assert_eq!(read("", "process.env.A_B === 'c' ? 1 : 2"), 1);
}

#[test]
fn the_configuration_is_read_as_in_a_production_build() {
    assert_eq!(value("import.meta.env.PROD && !import.meta.env.DEV"), true);
    assert_eq!(value("process.env.NODE_ENV === 'production'"), true);
    assert_eq!(
        value_with("", "process.env.NODE_ENV", &[("NODE_ENV", "development")]),
        "development"
    );
}

#[test]
fn paths_and_urls_are_those_of_the_file() {
    let text = |expression: &str| {
        let imports = "
            import path, { join } from 'node:path';
            import * as urls from 'url';
            import { fileURLToPath } from 'node:url';
            const here = path.dirname(fileURLToPath(import.meta.url));";
        let text = format!(
            "{imports} export default {{ session: {{ driver: 'memory', options: {{ x: {expression} }} }} }};"
        );
        let project = Project::new(&[("my site/astro.config.mjs", &text)]);
        let config = project.read(&[]).unwrap();
        config.options["x"].as_str().unwrap().replace(&project.path("my site"), "SITE")
    };
    assert_eq!(text("process.cwd()"), "SITE");
    assert_eq!(text("import.meta.dirname"), "SITE");
    assert_eq!(text("import.meta.filename"), "SITE/astro.config.mjs");
    assert_eq!(text("fileURLToPath(new URL('./a b', import.meta.url))"), "SITE/a b");
    assert_eq!(
        text("urls.fileURLToPath(new URL('../c', import.meta.url).href)").rsplit('/').next(),
        Some("c")
    );
    assert_eq!(text("path.resolve('a', '../b')"), "SITE/b");
    assert_eq!(text("path.resolve(here, './a')"), "SITE/a");
    assert_eq!(text("join(here, 'a', '..', 'b')"), "SITE/b");
    assert_eq!(text("new URL('redis://me:pw@cache:6380/1').host"), "cache:6380");
    assert!(text("new URL('./a', import.meta.url).pathname").ends_with("my%20site/a"));
    assert!(text("new URL(import.meta.url).pathname").ends_with("my%20site/astro.config.mjs"));
    assert_eq!(text("urls.pathToFileURL('/a b#c').href"), "file:///a%20b%23c");
}

#[test]
fn a_path_that_node_writes_in_another_way_is_refused() {
    for expression in [
        "path.dirname('/a/b/.')",
        "path.dirname('/a/./b')",
        "urls.pathToFileURL('a/').href",
        "urls.pathToFileURL('/~me').href",
    ] {
        let text = format!(
            "import path from 'node:path'; import * as urls from 'url';
             export default {{ session: {{ driver: 'memory', options: {{ x: {expression} }} }} }};"
        );
        assert!(error(&text).contains("is not known without running the file"), "{expression}");
    }
}

#[test]
fn common_js_modules_are_read_too() {
    let project = Project::new(&[
        (
            "astro.config.cjs",
            "const { defineConfig, sessionDrivers } = require('astro/config');
            const shared = require('./shared.cjs');
            module.exports = defineConfig({ session: { driver: sessionDrivers.lruCache({ ...shared }) } });",
        ),
        ("shared.cjs", "module.exports = { max: 5 };"),
    ]);
    let config = project.read(&[]).unwrap();
    assert_eq!((config.driver.as_str(), options(&config)), ("lru-cache", json!({ "max": 5 })));
}

#[test]
fn modules_export_in_every_form() {
    let project = Project::new(&[
        (
            "astro.config.mts",
            "import * as shared from './shared';
            import { one, renamed, three, nested } from './shared.js';
            const config = { session: { driver: 'memory', options: { one, renamed, three, all: shared.one, deep: nested.three } } };
            export { config as default };",
        ),
        (
            "shared.ts",
            "export const one = 1;
            const two = 2;
            export { two as renamed };
            export * from './more/index.mjs';
            export * as nested from './more';",
        ),
        ("more/index.mjs", "export const three = 3;"),
    ]);
    assert_eq!(
        options(&project.read(&[]).unwrap()),
        json!({ "one": 1, "renamed": 2, "three": 3, "all": 1, "deep": 3 })
    );
}
