//! Configurations, through Astro's own loader and through this reader: what both read is equal, or refused here.

mod generator;

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use super::*;

/// The variables of the environment that both readers have.
const ENVIRONMENT: [(&str, &str); 4] =
    [("SET", "redis://set:1"), ("NUMBER", "0x10"), ("EMPTY", ""), ("VITE_SET", "vite")];

/// What the files are, the first of which is the configuration.
type Files = Vec<(String, String)>;

/// The sites of this file's tests, each group with what both readers say of them.
///
/// One process of Node.js loads them all.
static BOTH: LazyLock<Option<Vec<Vec<Compared>>>> = LazyLock::new(|| {
    let groups: Vec<Vec<Files>> = GROUPS.iter().map(|group| group()).collect();
    let sizes: Vec<_> = groups.iter().map(Vec::len).collect();
    let mut all = compare(groups.into_iter().flatten().collect())?.into_iter();
    Some(sizes.into_iter().map(|size| all.by_ref().take(size).collect()).collect())
});

const GROUPS: [fn() -> Vec<Files>; 4] =
    [generated, changed_by_another_name, only_read, conversions];

struct Compared {
    files: Files,
    /// None where Astro does not load it either.
    astros: Option<Json>,
    ours: Result<Json>,
}

fn compare(sites: Vec<Files>) -> Option<Vec<Compared>> {
    let folder = tempfile::tempdir().unwrap();
    let modules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../interop/node_modules");
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
    let mut configs = Vec::new();
    for (number, files) in sites.iter().enumerate() {
        let site = folder.path().join(number.to_string());
        for (name, text) in files {
            let path = site.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        configs.push(site.join(&files[0].0));
    }
    let environment: serde_json::Map<_, _> =
        ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let input =
        configs.iter().map(|config| json!({ "config": config, "environment": environment }));
    let astros = interop_peers::run_script("astro-configs", "astro", &input.collect())?;
    let find = |name: &str| {
        ENVIRONMENT.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    let astros = astros.as_array().unwrap().iter();
    let both = sites.into_iter().zip(astros).zip(&configs);
    Some(
        both.map(|((files, astros), config)| Compared {
            files,
            astros: astros["session"].get("options").cloned(),
            ours: read(config, &find).map(|config| options(&config)),
        })
        .collect(),
    )
}

fn show(files: &Files) -> String {
    files.iter().map(|(name, text)| format!("--- {name}\n{text}\n")).collect()
}

/// Fails where this reader says something else than Astro; gives how many are equal, and of how many.
fn assert_equal_or_refused(group: fn() -> Vec<Files>) -> Option<(usize, usize)> {
    let number = GROUPS.iter().position(|other| std::ptr::fn_addr_eq(*other, group)).unwrap();
    let group = &BOTH.as_ref()?[number];
    let mut equal = 0;
    let mut different = Vec::new();
    for Compared { files, astros, ours } in group {
        match (astros, ours) {
            // Where Astro does not start there is nothing to be equal to.
            (_, Err(_)) | (None, _) => {}
            (Some(astros), Ok(ours)) if astros == ours => equal += 1,
            (Some(astros), Ok(ours)) => {
                different.push(format!("{}Astro: {astros}\nhere:  {ours}\n", show(files)));
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    Some((equal, group.len()))
}

#[test]
fn generated_configurations_are_read_as_astro_reads_them_or_refused() {
    let Some((equal, all)) = assert_equal_or_refused(generated) else { return };
    // A reader that refuses everything would be of no use.
    assert!(equal > all / 3, "only {equal} of {all} are read");
}

fn generated() -> Vec<Files> {
    (0..600).map(generator::site).collect()
}

/// Configurations whose options are `{ value: EXPRESSION }` behind these statements.
fn sites_of(file: &str, cases: &[(&str, &str)]) -> Vec<Files> {
    cases
        .iter()
        .map(|(statements, value)| vec![(file.to_owned(), with_value(statements, value))])
        .collect()
}

fn with_value(statements: &str, value: &str) -> String {
    format!(
        "import {{ defineConfig, sessionDrivers }} from 'astro/config';\n{statements}\n\
         export default defineConfig({{ session: {{ driver: 'memory', options: {{ value: {value} }} }} }});"
    )
}

#[test]
fn an_object_that_changes_by_another_name_is_refused() {
    assert_equal_or_refused(changed_by_another_name);
}

fn changed_by_another_name() -> Vec<Files> {
    let object = "const o = { x: 1, in: { y: 1 } };";
    let changes = [
        "const { in: p } = o; p.y = 2; o.x = 1;",
        "const p = o; p.x = 2;",
        "const list = [o]; list[0].x = 2;",
        "const list = [o]; for (const p of list) p.x = 2;",
        "const list = [o]; for (o.x of [2]) ;",
        "const all = { o }; all.o.x = 2;",
        "const { o: p } = { o }; p.x = 2;",
        "const [p] = [o]; p.x = 2;",
        "const p = true ? o : {}; p.x = 2;",
        "const p = null ?? o; p.x = 2;",
        "const p = (0, o); p.x = 2;",
        "const q = { ...{ o } }; q.o.x = 2;",
        "let p; p = o; p.x = 2;",
        "let p; [p] = [o]; p.x = 2;",
        "function f(p) { p.x = 2; } f(o);",
        "const f = (p = o) => { p.x = 2; }; f();",
        "const f = () => o; f().x = 2;",
        "function f() { return { o }; } f().o.x = 2;",
        "function* f() { yield o; } for (const p of f()) p.x = 2;",
        "class A { p = o; } new A().p.x = 2;",
        "class A { static { o.x = 2; } }",
        "class A { static p = o; } A.p.x = 2;",
        "[o].forEach((p) => { p.x = 2; });",
        "[o].map((p) => p)[0].x = 2;",
        "Object.values({ o })[0].x = 2;",
        "Object.entries({ o })[0][1].x = 2;",
        "[o].at(0).x = 2;",
        "[o].concat([])[0].x = 2;",
        "[...[o]][0].x = 2;",
        "Reflect.set(o, 'x', 2);",
        "Object.defineProperty(o, 'x', { value: 2, enumerable: true });",
        "Object.assign(o, { x: 2 });",
        "Object.assign(Object.freeze({}), {}, undefined); Object.assign(o.in, { y: 2 }); o.x = 2;",
        "new Map([['o', o]]).get('o').x = 2;",
        "new Set([o]).forEach((p) => { p.x = 2; });",
        "try { throw o; } catch (p) { p.x = 2; }",
        "({ x: o.x } = { x: 2 });",
        "[o.x] = [2];",
        "o['x'] = 2;",
        "o.x++;",
        "o.x ||= 2; o.x += 1;",
        "delete o.x;",
        "(() => { o.x = 2; })();",
        "const f = { run() { o.x = 2; } }; f.run();",
        "const f = { p: o, run() { this.p.x = 2; } }; f.run();",
        "const f = (tag, p) => { p.x = 2; }; f`${o}`;",
        "await Promise.resolve(o).then((p) => { p.x = 2; });",
        "(await o).x = 2;",
        "defineConfig(o).x = 2;",
        "sessionDrivers.redis(o).config.x = 2;",
        "Function.prototype.call.call((p) => { p.x = 2; }, null, o);",
        "const f = (p) => { p.x = 2; }; f.call(null, o); f.apply(null, [o]);",
        "JSON.stringify({ toJSON() { o.x = 2; } });",
        "new Proxy(o, {}).x = 2;",
        "o?.in && (o.x = 2);",
        "if (o.in) { const p = o; p.x = 2; }",
        "const p = { get q() { o.x = 2; return 1; } }; p.q;",
        "var r = o; { var r = {}; } o.x = 2;",
        "JSON.stringify(o, (key, p) => { if (p.in) p.x = 2; return p; });",
        "Array.from([o], (p) => { p.x = 2; });",
        "let a; [a = o] = []; a.x = 2;",
        "let a; ({ a = o } = {}); a.x = 2;",
        "let a; ({ b: a = o } = {}); a.x = 2;",
        "for (const [p = o] of [[]]) p.x = 2;",
        "const { p = o } = {}; p.x = 2;",
        "const f = ({ in: p }) => { p.y = 2; }; f(o); o.x = 2;",
        "const f = (...all) => { all[0].x = 2; }; f(o);",
        "const f = (...all) => { all[0].x = 2; }; f(...[o]);",
        "const f = function () { arguments[0].x = 2; }; f(o);",
        "const f = { set p(v) { v.x = 2; } }; f.p = o;",
        "const f = { map(p) { p.x = 2; } }; f.map(o);",
        "class A { constructor(p) { p.x = 2; } } new A(o);",
        "class A { join(p) { p.x = 2; } } new A().join(o);",
        "class A extends (o.x = 2, Object) {}",
        "const a = [1]; a.map = (p) => { p.x = 2; }; a.map(o);",
        "Reflect.apply((p) => { p.x = 2; }, null, [o]);",
        "[1].reduce((p) => { p.x = 2; return p; }, o);",
        "[2].map(function (n) { this.x = n; }, o);",
        "[2, 1].sort((p, q) => { o.x = 2; return 0; });",
        "'a'.replace(/a/, () => { o.x = 2; });",
        "'a'.replace({ [Symbol.replace]() { o.x = 2; } }, '');",
        "`${{ toString() { o.x = 2; return ''; } }}`;",
        "+{ valueOf() { o.x = 2; return 1; } };",
        "const w = new WeakRef(o); w.deref().x = 2;",
        "label: { o.x = 2; break label; }",
        "switch (o.x) { case 1: o.x = 2; }",
        "while (o.x < 2) o.x++;",
        "do { o.x = 2; } while (false);",
        "const p = (() => { try { return o; } finally {} })(); p.x = 2;",
        "const p = await (async () => o)(); p.x = 2;",
        "const [p] = await Promise.all([o]); p.x = 2;",
        "const p = structuredClone(o); p.x = 2;",
        "const p = Object.create(o); p.in.y = 2; o.x = 2;",
        "[o].pop().x = 2;",
        "const [p] = [o].splice(0, 1); p.x = 2;",
        "[o].reverse()[0].x = 2;",
        "const list = [o].sort(); list[0].x = 2;",
        "new Object(o).x = 2;",
        "[].concat([o])[0].x = 2;",
        "[...new Map([[o, 1]]).keys()][0].x = 2;",
        "Object.entries(o).map(([k, v]) => { v.y = 2; }); o.x = 2;",
    ];
    let cases: Vec<_> = changes.iter().map(|change| format!("{object}\n{change}")).collect();
    let cases: Vec<_> = cases.iter().map(|case| (case.as_str(), "o.x")).collect();
    let mut sites = sites_of("astro.config.mjs", &cases);
    sites.extend(sites_of(
        "astro.config.mjs",
        &[
            ("var x = 1; if (true) { var x = 2; }", "x"),
            ("var x = 1; for (var x of [2]) ;", "x"),
            ("var x = 1; var x = 2;", "x"),
            ("let x = 1; function f() { x = 2; } f();", "x"),
            ("let x = 1; [x] = [2];", "x"),
            ("let x = 1; ({ x } = { x: 2 });", "x"),
            ("let x = 1; for (x of [2]) ;", "x"),
            ("let x = 1; x++;", "x"),
            ("const u = new URL('redis://a:1/0'); const v = u; v.port = '2';", "u.href"),
            ("const u = new URL('redis://a:1/0'); u.searchParams.set('a', 'b');", "u.href"),
            ("const o = { x: 1, set y(v) { this.x = v; } }; o.y = 2;", "o.x"),
            ("const o = { x: 1, get y() { this.x = 2; return 3; } };", "{ y: o.y, x: o.x }"),
            ("const l = [1]; const m = l; m.push(2);", "l"),
            ("const l = [2, 1]; [l][0].sort();", "l"),
            ("const o = { x: 1 }; const p = { ...o }; p.x = 2;", "[o.x, p.x]"),
            ("const o = { in: { x: 1 } }; const p = { ...o }; p.in.x = 2;", "o.in.x"),
            ("const o = { in: { x: 1 } }; const { ...p } = o; p.in.x = 2;", "o.in.x"),
            ("const o = { x: 1 }; const f = (p) => p.x; const n = f(o);", "o.x"),
            ("const x = y; var y = 1;", "x ?? 'none'"),
        ],
    ));
    sites.extend(with_files());
    sites
}

/// Changes that are made in other files.
fn with_files() -> Vec<Files> {
    let shared = ("shared.mjs", "export const o = { x: 1, in: { y: 1 } };");
    let tools = (
        "tools.mjs",
        "export const tools = { join(p) { p.x = 2; process.env.UNSET = 'joined'; } };",
    );
    let acting =
        ("acting.mjs", "import { o } from './shared.mjs';\nexport function set() { o.x = 2; }");
    let star = ("star.mjs", "export * from './shared.mjs';\nexport * as all from './shared.mjs';");
    let common = ("common.cjs", "module.exports = { x: 5, in: { y: 1 } };");
    let waits = ("waits.mjs", "await null;\nprocess.env.UNSET = 'waited';");
    let loads = ("loads.mjs", "await null;\nprocess.loadEnvFile();");
    let reads = (
        "reads.mjs",
        "export const read = process.env.FILE ?? 'none';\nawait null;\nexport const after = process.env.FILE ?? 'none';",
    );
    let quick = ("quick.mjs", "process.loadEnvFile();\nexport const used = 1;");
    let file = (".env", "FILE=file");
    [
        ("astro.config.mjs", "import * as all from './shared.mjs';\nall.o.x = 2;\nimport { o } from './shared.mjs';", "o.x"),
        ("astro.config.mjs", "import * as all from './star.mjs';\nall.all.o.x = 2;\nimport { o } from './shared.mjs';", "o.x"),
        ("astro.config.mjs", "import { all } from './star.mjs';\nconst { o: p } = all;\np.x = 2;\nimport { o } from './shared.mjs';", "o.x"),
        ("astro.config.mjs", "import { o } from './shared.mjs';\nimport { tools } from './tools.mjs';\nconst t = tools;\nt.join(o);", "o.x"),
        ("astro.config.mjs", "import { o } from './shared.mjs';\nimport { set } from './acting.mjs';\nset();", "o.x"),
        ("astro.config.mjs", "import * as all from './shared.mjs';\nObject.values(all)[0].x = 2;", "all.o.x"),
        ("astro.config.mjs", "import { o } from './shared.mjs';\n(await import('./shared.mjs')).o.x = 2;", "o.x"),
        ("astro.config.mjs", "import { o } from './shared.mjs';\nconst name = './shared.mjs'; (await import(name)).o.x = 2;", "o.x"),
        ("astro.config.mjs", "import { createRequire } from 'node:module';\nimport c from './common.cjs';\nconst load = createRequire(import.meta.url);\nload('./common.cjs').x = 2;", "c.x"),
        ("astro.config.mjs", "import * as c from './common.cjs';", "c.x ?? 'none'"),
        ("astro.config.mjs", "import c from './common.cjs';", "c.x"),
        ("astro.config.mjs", "import { o } from './shared.mjs';\nimport * as again from './shared.mjs?again';", "[o.x, again.o.x]"),
        ("astro.config.mjs", "import './waits.mjs';", "process.env.UNSET ?? 'none'"),
        ("astro.config.mjs", "import './loads.mjs';\nimport { read, after } from './reads.mjs';", "[read, after, process.env.FILE ?? 'none']"),
        ("astro.config.mjs", "import { read, after } from './reads.mjs';\nimport './quick.mjs';", "[read, after, process.env.FILE ?? 'none']"),
        ("astro.config.mjs", "import './quick.mjs';\nimport { read } from './reads.mjs';", "[read, process.env.FILE ?? 'none']"),
        ("astro.config.ts", "import { used } from './quick.mjs';", "process.env.FILE ?? 'none'"),
        ("astro.config.ts", "import { used } from './quick.mjs';\nconst kept = used;", "process.env.FILE ?? 'none'"),
        ("astro.config.ts", "import { o } from './shared.mjs';\nlet a; [a = o] = []; a.x = 2;", "o.x"),
        ("astro.config.ts", "import { o } from './shared.mjs';\nenum E { A = 5 } namespace N { export const n = 6; }", "[o.x, E.A, N.n]"),
        ("astro.config.ts", "import { type X, o } from './shared.mjs';\nconst p = <any>o; (p as any)!.x = 2;", "o.x"),
    ]
    .iter()
    .map(|(name, statements, value)| {
        let files = [shared, tools, acting, star, common, waits, loads, reads, quick, file];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let config = ((*name).to_owned(), with_value(statements, value));
        std::iter::once(config).chain(files).collect()
    })
    .collect()
}

#[test]
fn what_is_only_read_is_read() {
    let Some((equal, all)) = assert_equal_or_refused(only_read) else { return };
    assert_eq!(equal, all);
}

fn only_read() -> Vec<Files> {
    let read = [
        ("const o = { x: 1 }; console.log(o); JSON.stringify(o); Object.keys(o).length;", "o.x"),
        ("const a = []; if (process.env.SET) a.push(1); const o = { x: 1 };", "o.x"),
        ("const o = { list: [], in: { x: 1 } }; o.list = [2];", "1"),
        ("const p = 5; const f = (q) => q; f(p);", "p"),
        ("const o = { x: 1 }; const n = `${o.x}`; Math.max(o.x, 2);", "o.x"),
        ("const names = ['a', 'b']; const s = names.join(',');", "names"),
        ("const o = Object.freeze({ x: 1 });", "1"),
        ("const { SET } = process.env; const o = { url: SET };", "o.url"),
        ("const o = { x: 1 }; function unused(p) { return 5; }", "o.x"),
    ];
    sites_of("astro.config.mjs", &read)
}

#[test]
fn conversions_are_javascripts_to_the_last_letter() {
    let Some((equal, all)) = assert_equal_or_refused(conversions) else { return };
    assert!(equal > all * 3 / 4, "only {equal} of {all} are read");
}

fn conversions() -> Vec<Files> {
    let mut values = Vec::new();
    for text in [
        "1e3",
        "0x10",
        "0x99",
        "-0x1",
        "\\u00852",
        "\\u0085",
        "\\ufeff2",
        "\\ufeff+2",
        "Infinity",
        "-Infinityx",
        "",
        " ",
        "1_0",
        "1.",
        ".5",
        ".",
        "1e",
        "1e+",
        "0b12",
        "0o17",
        "0x1g",
        "12px",
        "1,5",
        "+-1",
        "NaN",
        "\\u00a07",
        "1e1000",
        "123456789012345680000",
        "0x20000000000001",
        "9007199254740993",
        "\\u180e1",
        "\\u20281",
    ] {
        for function in
            ["Number", "parseFloat", "parseInt", "Number.parseInt", "+", "String", "Boolean"]
        {
            // NaN and infinities are none in JSON, so they are compared as texts.
            values.push(format!("`${{{function}('{text}')}}`").replace("+('", "+('"));
        }
        for radix in ["2", "8", "10", "16", "0", "undefined", "1"] {
            values.push(format!("`${{parseInt('{text}', {radix})}}`"));
        }
        values.push(format!("'{text}'.trim()"));
        values.push(format!("'{text}' == 10"));
        values.push(format!("'{text}' * 1 === 2"));
    }
    for number in [
        "1e21",
        "1e-7",
        "123456789012345680000",
        "0.1 + 0.2",
        "-0",
        "1 / 3",
        "2 ** 53",
        "2 ** 0.5",
        "5 % -3",
        "-5 % 3",
        "1e300 * 1e10",
        "0.000001",
        "100 / 3",
        "1.50",
        "0xff",
        "1_000",
    ] {
        values.push(format!("`${{{number}}}`"));
        values.push(format!("'' + ({number})"));
        values.push(format!("({number}).toString()"));
    }
    for value in [
        "null + 1",
        "undefined + 1 ? 1 : 2",
        "true + true",
        "'1' + 2",
        "'3' * '4'",
        "null == 0",
        "'' == 0",
        "'a' < 1",
        "null >= 0",
        "!!'0'",
        "!!0n",
        "({}).constructor ? 60 : 3600",
        "({ toString: 1 }).toString",
        "({ __proto__: { x: 60 } }).x ?? 5",
        "({ ['__proto__']: 1, x: 2 }).x",
        "[1][0.5] ?? 6",
        "[1, 2]['01'] ?? 7",
        "[1, 2].length",
        "[1, 2]['length']",
        "({ 1: 2 })[1]",
        "({ a: 1, a: 2 }).a",
        "void 0 ?? 3",
        "typeof 1",
        "[..'ab'].length",
        "(() => 1)() + 1",
        "1 < 2 < 3",
        "new URL('http://a').href == 'http://a/'",
        "new URL('HTTP://User:Pa%20ss@EXAMPLE.com:80/a/../b?c#d').href",
        "Number(new URL('http://a'))",
        "`${String()},${Number()},${Boolean()}`",
        "({ 1e21: 'a', 0.50: 'b', 0x10: 'c' })",
    ] {
        values.push(value.to_owned());
    }
    let values: Vec<_> = values.iter().map(|value| ("", value.as_str())).collect();
    sites_of("astro.config.mjs", &values)
}
