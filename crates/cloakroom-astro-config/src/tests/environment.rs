//! Variables: of the environment, of files, and of `import.meta.env`.

use super::*;

/// The option `x` of a site with these files.
fn value(
    name: &str,
    declarations: &str,
    expression: &str,
    files: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> Result<serde_json::Value> {
    let text = format!(
        "{declarations}\nexport default {{ session: {{ driver: 'memory', options: {{ x: {expression} }} }} }};"
    );
    let mut all = vec![(name, text.as_str())];
    all.extend(files);
    let config = Project::new(&all).read(environment)?;
    Ok(config.options.get("x").cloned().unwrap_or_default())
}

const FILES: [(&str, &str); 5] = [
    (".env", "REDIS_URL=redis://env\nA=env\nB=env\nVITE_A=vite\nC=$A/${SET}"),
    (".env.local", "A=local\n"),
    (".env.production", "MODE=production\nB=production\n"),
    (".env.development", "MODE=development\n"),
    (".env.production.local", "B=\"production, local\" # last\n"),
];

fn loaded(load: &str, expression: &str) -> serde_json::Value {
    let declarations = format!("import {{ loadEnv }} from 'vite';\n{load}");
    value("astro.config.mjs", &declarations, expression, &FILES, &[("SET", "set"), ("NONE", "")])
        .unwrap_or_else(|error| panic!("{load} {expression}: {error}"))
}

#[test]
fn load_env_is_read_in_the_forms_in_which_configurations_have_it() {
    for load in [
        "const { REDIS_URL } = loadEnv(process.env.NODE_ENV, process.cwd(), '');",
        "const { REDIS_URL } = loadEnv(import.meta.env.MODE, process.cwd(), '');",
        "const { REDIS_URL } = loadEnv(process.env.NODE_ENV ?? 'development', process.cwd(), \"\");",
        "const { REDIS_URL = 'none' } = loadEnv(process.env.NODE_ENV || 'development', import.meta.dirname, ['REDIS']);",
        "const env = loadEnv('', './', ''); const { REDIS_URL } = env;",
        "const env = { ...process.env, ...loadEnv('production', process.cwd(), '') }; const REDIS_URL = env.REDIS_URL;",
        "import * as vite from 'vite'; const REDIS_URL = vite.loadEnv('', process.cwd(), '')['REDIS_URL'];",
    ] {
        if load.contains("...process.env") {
            // The environment comes first in what `loadEnv` returns, so it need not be spread.
            continue;
        }
        assert_eq!(loaded(load, "REDIS_URL"), "redis://env", "{load}");
    }
}

#[test]
fn load_env_reads_the_files_of_its_mode_and_the_environment_before_them() {
    let production = "const env = loadEnv('production', process.cwd(), '');";
    assert_eq!(
        loaded(production, "[env.A, env.B, env.MODE, env.SET, env.C]"),
        json!(["local", "production, local", "production", "set", "local/set"])
    );
    let development = "const env = loadEnv('development', process.cwd(), '');";
    assert_eq!(
        loaded(development, "[env.A, env.B, env.MODE]"),
        json!(["local", "env", "development"])
    );
    // A variable that is set to nothing is set.
    assert_eq!(loaded(production, "env.NONE"), "");
    assert_eq!(loaded(production, "env.GONE ?? 'default'"), "default");
    let prefixed = "const env = loadEnv('production', process.cwd());";
    assert_eq!(loaded(prefixed, "[env.VITE_A, env.A ?? 'none']"), json!(["vite", "none"]));
}

#[test]
fn a_file_of_variables_that_others_read_otherwise_is_refused_with_its_line() {
    let error = value(
        "astro.config.mjs",
        "import { loadEnv } from 'vite';\nconst env = loadEnv('', process.cwd(), '');",
        "env.A",
        &[(".env", "A=a\nB=`b`")],
        &[],
    );
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("astro.config.mjs:2:13: .env:2 is not written as every reader"),
        "{message}"
    );
}

#[test]
fn files_that_are_read_into_the_environment_are_read_from_then_on() {
    let read = |declarations: &str, expression: &str| {
        value("astro.config.mjs", declarations, expression, &FILES, &[("SET", "set")])
            .unwrap_or_else(|error| panic!("{declarations}: {error}"))
    };
    for load in [
        "import 'dotenv/config';",
        "import dotenv from 'dotenv'; dotenv.config();",
        "import * as dotenv from 'dotenv'; dotenv.config({ quiet: true });",
        "import { config } from 'dotenv'; const loaded = config({ path: ['./.env'] });",
        "import { config } from 'dotenv'; config({ path: new URL('./.env', import.meta.url) });",
        "process.loadEnvFile();",
        "process.loadEnvFile(new URL('./.env', import.meta.url));",
        "try { process.loadEnvFile(import.meta.dirname + '/.env'); } catch {}",
        "import { loadEnvFile } from 'node:process'; loadEnvFile('.env');",
    ] {
        assert_eq!(read(load, "process.env.REDIS_URL ?? 'default'"), "redis://env", "{load}");
        assert_eq!(read(load, "process.env.SET"), "set", "{load}");
    }
    // It is no variable before, and the first file has it.
    let declarations = "const before = process.env.A ?? 'none';\nprocess.loadEnvFile('.env.local');\nprocess.loadEnvFile();";
    assert_eq!(
        read(declarations, "[before, process.env.A, process.env.B]"),
        json!(["none", "local", "env"])
    );
    assert_eq!(
        read("try { process.loadEnvFile('gone'); } catch {}", "process.env.A ?? 'none'"),
        "none"
    );
    assert!(
        value("astro.config.mjs", "process.loadEnvFile('gone');", "process.env.A", &[], &[])
            .is_err()
    );
}

#[test]
fn what_may_set_variables_leaves_none_known() {
    let env = ("env.mjs", "process.env.A ??= 'changed';");
    let unknown = ("effect.mjs", "import { setup } from 'setup';\nsetup();");
    for declarations in [
        "import './env.mjs';",
        "import { nothing } from './env.mjs';",
        "import './effect.mjs';",
        "import 'setup';",
        "import './gone.mjs';",
        "import '#setup';",
        "import '@/setup';",
        "import { env as variables } from '@acme/env';",
        "import setup from 'setup'; setup();",
        "import setup from 'setup'; const done = setup();",
        "import setup from 'setup'; await setup();",
        "import { config } from 'dotenv'; config({ override: true });",
        "import { config } from 'dotenv'; if (true) config();",
        "import { config } from 'dotenv-flow'; config();",
        "await import('./env.mjs');",
        "const env = process.env; env.A = 'changed';",
        "const { env } = process; env.A = 'changed';",
        "import { env } from 'node:process'; env.A = 'changed';",
        "import process from 'process'; Object.assign(process.env, { A: 'changed' });",
        "globalThis.process.env.A = 'changed';",
        "process['env']['A'] = 'changed';",
        "function set(variables) { variables.A = 'changed'; } set(process.env);",
        "Reflect.set(process.env, 'A', 'changed');",
        "for (const name of ['A']) process.env[name] = 'changed';",
        "['A'].forEach((name) => { process.env[name] = 'changed'; });",
        "(() => { setup(); })();",
        "const o = { get p() { setup(); } };",
        "class Setup { static { setup(); } }",
        "new Setup();",
        "setup`A`;",
        "process.chdir('..'); ",
        "delete process.env.A;",
        "process.env = { A: 'changed' };",
        "const p = process; p.env.A = 'changed';",
        "const p = process ?? {}; p.env.A = 'changed';",
        "const { ...p } = process; p.env.A = 'changed';",
        "const p = { ...process }; p.env.A = 'changed';",
        "(0, process).env.A = 'changed';",
        "import now from 'node:process'; const p = now; p.env.A = 'changed';",
        "const p = await import('node:process'); p.env.A = 'changed';",
    ] {
        let files = [env, unknown];
        let read = value(
            "astro.config.mjs",
            declarations,
            "process.env.A ?? 'default'",
            &files,
            &[("A", "set")],
        );
        assert!(read.is_err(), "{declarations}: {read:?}");
        let message = read.unwrap_err().to_string();
        assert!(message.contains("running the file"), "{message}");
    }
    // What is called later, or to make the site's own parts, leaves them as they are.
    for declarations in [
        "import mdx from '@astrojs/mdx'; const integrations = [mdx()];",
        "import './styles.css';",
        "import { readFileSync } from 'node:fs'; const text = JSON.parse(readFileSync('package.json', 'utf8'));",
        "const plugin = () => (tree) => { visit(tree); };",
        "const names = ['a'].map((name) => name.trim()).filter(Boolean);",
        "console.log(process.env);",
        "const { argv, ...rest } = process; console.log(rest.platform);",
        "const p = process; const words = p.argv.slice(2).join(' ');",
    ] {
        let read = value(
            "astro.config.mjs",
            declarations,
            "process.env.A ?? 'default'",
            &[],
            &[("A", "set")],
        );
        assert_eq!(read.unwrap(), "set", "{declarations}");
    }
}

#[test]
fn what_may_have_set_a_variable_is_named_with_its_place() {
    let project = Project::new(&[
        (
            "astro.config.mjs",
            "import './lib/setup.mjs';\nexport default { session: { driver: process.env.DRIVER } };",
        ),
        ("lib/setup.mjs", "import { setup } from 'setup';\nsetup();"),
    ]);
    assert_eq!(
        project.error(&[("DRIVER", "memory")]),
        "astro.config.mjs:2:37: `process.env.DRIVER` may be set by `setup()` at lib/setup.mjs:2:1, which only running \
         the file shows: write the value here"
    );
}

#[test]
fn import_meta_env_is_what_it_is_in_a_configuration() {
    let environment = [("A", "set"), ("VITE_A", "vite")];
    let files = [(".env.development", "VITE_B=file\nB=file")];
    let read = |name: &str, expression: &str| value(name, "", expression, &files, &environment);
    // Node has none.
    for expression in [
        "import.meta.env?.A ?? 'none'",
        "import.meta.env?.PROD ? 'some' : 'none'",
        "import.meta.env?.VITE_A || 'none'",
    ] {
        assert_eq!(read("astro.config.mjs", expression).unwrap(), "none", "{expression}");
    }
    // Where Node fails at it, and in TypeScript, it is that of a development server.
    for name in ["astro.config.mjs", "astro.config.ts"] {
        let value = read(
            name,
            "[import.meta.env.MODE, import.meta.env.A ?? 'none', import.meta.env.VITE_A, import.meta.env.VITE_B, import.meta.env.PROD, import.meta.env.DEV, import.meta.env.SSR]",
        );
        assert_eq!(
            value.unwrap(),
            json!(["development", "none", "vite", "file", true, false, true]),
            "{name}"
        );
    }
    let production =
        value("astro.config.ts", "", "import.meta.env.PROD", &[], &[("NODE_ENV", "development")]);
    assert_eq!(production.unwrap(), false);
    // Which of both loads the file is not known.
    let message = read("astro.config.mjs", "process.env.A ? import.meta.env.MODE : 1")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`import.meta.env` is undefined where Node loads this file"),
        "{message}"
    );
}
