//! What reading does not show is refused, with its place.

use super::*;

fn refused(text: &str) -> String {
    let project = Project::new(&[("astro.config.mjs", text)]);
    match project.read(&[]) {
        Ok(config) => panic!("{text} is read: {config:?}"),
        Err(error) => error.to_string().replace(&project.path(""), ""),
    }
}

/// Astro has Node import it under an address that ends with the time.
#[test]
fn the_address_of_the_file_is_refused_where_it_is_more_than_a_place() {
    for expression in [
        "import.meta.url",
        "`${import.meta.url}x`",
        "import.meta.url.length",
        "new URL('', import.meta.url).href",
        "new URL('#a', import.meta.url).href",
    ] {
        refused(&format!(
            "export default {{ session: {{ driver: 'memory', options: {{ x: {expression} }} }} }};"
        ));
    }
}

#[test]
fn an_object_that_another_name_changes_is_refused_with_its_place() {
    let message = refused(
        "const session = { driver: 'redis', cookie: { name: 'sid', secure: true } };
const { cookie } = session;
cookie.secure = false;
export default { session };",
    );
    assert_eq!(
        message,
        "astro.config.mjs:1:44: `{ name: 'sid', secure: true }` is changed at 3:1, and what it is then only running the \
         file shows: write the final value here"
    );
    for (change, line) in [
        ("function shorten(s) { s.ttl = 60; }\nshorten(session);", 3),
        ("[session].forEach((s) => { s.ttl = 60; });", 2),
        ("Reflect.set(session, 'ttl', 60);", 2),
    ] {
        let message = refused(&format!(
            "const session = {{ driver: 'redis', ttl: 3600 }};\n{change}\nexport default {{ session }};"
        ));
        assert!(message.contains(&format!("`session` is changed at {line}:")), "{message}");
    }
    let message = refused(
        "const cookie = { name: 'sid' };\nconst session = { driver: 'redis', cookie };\nsession.cookie.name = 'other';
export default { session: { driver: 'redis', cookie } };",
    );
    assert!(message.contains("`cookie` is changed at 3:1"), "{message}");
    refused(
        "var ttl = 3600; if (true) { var ttl = 60; }\nexport default { session: { driver: 'memory', ttl } };",
    );
}

#[test]
fn an_object_that_another_file_changes_is_refused() {
    for import in [
        "import './production.mjs';",
        "await import('./production.mjs');",
        "import production from './production.mjs';",
    ] {
        let text = format!(
            "import {{ session }} from './session.mjs';\n{import}\nexport default {{ session }};"
        );
        let project = Project::new(&[
            ("astro.config.mjs", &text),
            ("session.mjs", "export const session = { driver: 'redis', ttl: 60 };"),
            (
                "production.mjs",
                "import { session } from './session.mjs';\nsession.ttl = 3600;\nexport default 1;",
            ),
        ]);
        let message = project.error(&[]);
        assert!(message.contains("is changed at production.mjs:2:1"), "{message}");
    }
}

#[test]
fn a_file_that_is_imported_by_two_paths_is_one() {
    let project = Project::new(&[
        (
            "astro.config.mjs",
            "import { session } from './session.mjs';\nimport './other/change.mjs';\nexport default { session };",
        ),
        ("session.mjs", "export const session = { driver: 'redis' };"),
        ("other/change.mjs", "import { session } from '../link.mjs';\nsession.ttl = 3600;"),
    ]);
    std::os::unix::fs::symlink("session.mjs", project.path("link.mjs")).unwrap();
    assert!(project.error(&[]).contains("is changed at"), "{}", project.error(&[]));
}

#[test]
fn what_a_packages_function_returns_has_no_truth() {
    for value in [
        "isStaging() ? 60 : 3600",
        "isStaging() && 60",
        "isStaging() || 60",
        "isStaging() ?? 60",
        "!isStaging()",
        "isStaging() === undefined",
        "isStaging() == null",
        "undefined !== isStaging()",
        "Boolean(isStaging())",
        "String(isStaging())",
        "isStaging()?.ttl",
        "{ ...isStaging() }",
        "[...isStaging()]",
        "`${isStaging()}`",
        "+isStaging()",
    ] {
        let message = refused(&format!(
            "import isStaging from 'is-staging';\nexport default {{ session: {{ driver: 'memory', options: {{ value: {value} }} }} }};"
        ));
        assert!(message.contains("is not known without running the file"), "{value}: {message}");
    }
    // Which adapter it is, is asked of no package.
    let config = config(
        "import node from '@astrojs/node';\nimport vercel from '@astrojs/vercel';
export default { adapter: 1 > 2 ? vercel() : node({ mode: 'standalone' }) };",
    );
    assert_eq!(config.driver, "@astrojs/node");
}

#[test]
fn what_may_change_everything_is_refused() {
    for change in [
        "Object.prototype.ttl = 60;",
        "({}).__proto__.ttl = 60;",
        "Object.getPrototypeOf({}).ttl = 60;",
        "({}).constructor.prototype.ttl = 60;",
        "Object.assign(Object.prototype, { ttl: 60 });",
        "Object.defineProperty(Object.prototype, 'ttl', { value: 60 });",
        "String.prototype.trim = () => 'other';",
        "globalThis.Number = () => 60;",
        "Number.parseInt = () => 60;",
        "eval('session.ttl = 60');",
        "const { prototype } = Object; prototype.ttl = 60;",
        "const { constructor: { prototype } } = {}; prototype.ttl = 60;",
        "const { __proto__: texts } = ''; texts.trim = () => 'other';",
        "import path from 'node:path'; path.join = () => 'other';",
    ] {
        let message = refused(&format!(
            "{change}\nexport default {{ session: {{ driver: 'memory', ttl: Number(' 5 '.trim()) }} }};"
        ));
        assert!(message.contains("only running the file shows"), "{change}: {message}");
    }
}

#[test]
fn the_file_that_vite_finds_is_the_one_that_is_read() {
    let ttl = |files: &[&str]| {
        let texts: Vec<_> =
            (1..).map(|ttl| format!("export const ttl = {ttl};")).take(files.len()).collect();
        let mut all = vec![(
            "astro.config.ts",
            "import { ttl } from './ttl';\nexport default { session: { driver: 'memory', ttl } };",
        )];
        all.extend(files.iter().copied().zip(texts.iter().map(String::as_str)));
        Project::new(&all).read(&[]).unwrap().settings["ttl"].as_u64()
    };
    let order = ["ttl.mjs", "ttl.js", "ttl.mts", "ttl.ts"];
    for first in 0..order.len() {
        assert_eq!(ttl(&order[first..]), Some(1), "{}", order[first]);
    }
    assert_eq!(ttl(&["ttl/index.ts", "ttl.ts"]), Some(2));
}

#[test]
fn a_name_that_two_files_export_is_refused() {
    let project = Project::new(&[
        (
            "astro.config.mjs",
            "import * as all from './all.mjs';\nexport default { session: { driver: 'memory', ttl: all.ttl ?? 5 } };",
        ),
        ("all.mjs", "export * from './a.mjs';\nexport * from './b.mjs';"),
        ("a.mjs", "export const ttl = 1;"),
        ("b.mjs", "export const ttl = 2;"),
    ]);
    assert!(project.error(&[]).starts_with("all.mjs:2:"), "{}", project.error(&[]));
}

#[test]
fn a_common_js_module_that_exports_twice_is_refused() {
    for change in [
        "module.exports.session.ttl = 60;",
        "exports.session = {};",
        "const own = module.exports; own.session.ttl = 60;",
        "if (1) { module.exports = {}; }",
        "module.exports = {};",
    ] {
        let text = format!("module.exports = {{ session: {{ driver: 'memory' }} }};\n{change}");
        let project = Project::new(&[("astro.config.cjs", &text)]);
        assert!(project.read(&[]).is_err(), "{change}");
    }
}
