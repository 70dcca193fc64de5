//! What is wrong, where, and what to do.

use proptest::prelude::*;

use super::*;

#[test]
fn what_only_running_shows_is_named_with_its_place() {
    assert_eq!(
        error(
            "export default {\n\tsession: {\n\t\tdriver: 'redis',\n\t\toptions: { url: findUrl('a') },\n\t},\n};"
        ),
        "astro.config.mjs:4:19: `findUrl('a')` is not known without running the file, which is never done: write a \
         literal value here, or process.env.NAME"
    );
    for (expression, column, named) in [
        ("await secret('redis')", 37, "await secret('redis')"),
        ("(() => 'redis')()", 38, "() => 'redis'"),
        ("['redis'].at(0)", 37, "['redis'].at(0)"),
        ("Math.random()", 37, "Math.random()"),
        ("globalThis.redis", 29, "driver: globalThis.redis"),
        ("process.argv[2]", 29, "driver: process.argv[2]"),
        ("process.argv + 'a'", 37, "process.argv + 'a'"),
        ("undeclared || 'a'", 37, "undeclared"),
        ("{ ...undeclared }", 39, "...undeclared"),
        ("/redis/", 37, "/redis/"),
    ] {
        let message = error(&format!("export default {{ session: {{ driver: {expression} }} }};"));
        let expected = format!("astro.config.mjs:1:{column}: `{named}` is not known without");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_function_is_not_called() {
    for text in [
        "export default defineConfig(() => ({ session: {} }));",
        "export default () => ({ session: {} });",
        "export default function config() { return {}; }",
    ] {
        let message = error(&format!("import {{ defineConfig }} from 'astro/config';\n{text}"));
        assert!(message.starts_with("astro.config.mjs:2:"), "{message}");
        assert!(message.contains("is not known without running the file"), "{message}");
    }
}

#[test]
fn a_name_that_changes_is_refused() {
    for change in [
        "options.url = 'a';",
        "Object.assign(options, {});",
        "delete options.url;",
        "if (1) { options = {}; }",
    ] {
        let text = format!(
            "let options = {{}};\n{change}\nexport default {{ session: {{ driver: 'redis', options }} }};"
        );
        let message = error(&text);
        assert!(message.starts_with("astro.config.mjs:3:"), "{message}");
        assert!(message.contains("`options` is changed at 2:"), "{message}");
    }
}

#[test]
fn a_variable_that_the_file_sets_is_refused_and_the_others_are_not() {
    let with = |name: &str| {
        let text = format!(
            "process.env.A ??= 'a';\nexport default {{ session: {{ driver: process.env.{name} || 'memory' }} }};"
        );
        Project::new(&[("astro.config.mjs", &text)])
    };
    assert_eq!(
        with("A").error(&[]),
        "astro.config.mjs:2:37: `process.env.A` is changed at 1:1, and what it is then only running the file shows: \
         write the final value here"
    );
    assert_eq!(with("B").read(&[]).unwrap().driver, "memory");
}

#[test]
fn a_variable_that_must_be_set_is_named() {
    assert_eq!(
        error("export default {\n  session: { driver: process.env.SESSION_DRIVER },\n};"),
        "astro.config.mjs:2:22: the environment variable SESSION_DRIVER is not set, and it is to name the session's \
         driver: set it, or give it a default with `??`"
    );
    let message = error(
        "import { sessionDrivers } from 'astro/config';
const { FOLDER } = process.env;
export default { session: { driver: sessionDrivers.fs({ base: FOLDER }) } };",
    );
    assert!(
        message.starts_with("astro.config.mjs:2:9: the environment variable FOLDER is not set"),
        "{message}"
    );
    for text in
        ["`redis://${process.env.HOST}`", "'redis://' + process.env.HOST", "process.env.HOST.name"]
    {
        let message = error(&format!(
            "export default {{ session: {{ driver: 'redis', options: {{ url: {text} }} }} }};"
        ));
        assert!(message.contains("the environment variable HOST is not set"), "{message}");
    }
}

#[test]
fn a_value_that_json_has_no_word_for_has_its_place() {
    let with = |text: &str| {
        error(&format!(
            "export default {{\n  session: {{\n    driver: 'memory',\n    {text}\n  }},\n}};"
        ))
    };
    assert!(with("ttl: parseInt(undefined)").starts_with("astro.config.mjs:4:5: `ttl` is NaN"));
    assert!(with("options: []").starts_with("astro.config.mjs:4:5: `options` is an array"));
}

#[test]
fn a_setting_has_its_place_whatever_the_drivers_options_are_called() {
    let text = "export default { session: {\n  cookie: { samesite: 1 },\n  driver: 'memory',\n  options: { cookie: { samesite: 2 } },\n} };";
    let project = Project::new(&[("astro.config.mjs", text)]);
    let path = project.folder.path().join("astro.config.mjs");
    let config = crate::read(&path, &|_| None).unwrap();
    let place = |setting: &str| {
        let Position { line, column, .. } = config.position(setting);
        (*line, *column)
    };
    assert_eq!(place("cookie.samesite"), (2, 13));
    assert_eq!(place("cookie.name"), (2, 3));
    assert_eq!(place("ttl"), (1, 18));
}

#[test]
fn an_error_says_of_what_kind_it_is_and_where() {
    let kind = |text: &str| {
        let error = Project::new(&[("astro.config.mjs", text)]).read(&[]).unwrap_err();
        (error.kind(), error.position().map(|position| position.line))
    };
    let driver =
        |text: &str| kind(&format!("export default {{\nsession: {{ driver: {text} }} }};"));
    assert_eq!(driver("choose()"), (ErrorKind::NotKnown, Some(2)));
    assert_eq!(driver("process.env.DRIVER"), (ErrorKind::Unset, Some(2)));
    assert_eq!(driver("7"), (ErrorKind::Unusable, Some(2)));
    assert_eq!(kind("export default {"), (ErrorKind::Unreadable, Some(1)));
    assert_eq!(kind(&" ".repeat(300_000)), (ErrorKind::Unreadable, None));
}

#[test]
fn a_driver_that_is_none_has_its_place() {
    let with = |text: &str| error(&format!("export default {{ session: {{ driver: {text} }} }};"));
    assert!(with("7").starts_with("astro.config.mjs:1:29: `driver` is a number"));
    assert!(with("{ config: {} }").contains("has no `entrypoint`"));
    assert!(
        with("{ entrypoint: new URL('./driver.mjs', import.meta.url) }").contains("the site's own")
    );
}

#[test]
fn sessions_that_are_switched_off_are_not_shared() {
    let message = error("export default { session: false };");
    assert!(message.starts_with("astro.config.mjs:1:18: `session` is false"), "{message}");
    assert!(message.contains("switched off"), "{message}");
}

#[test]
fn a_site_without_a_driver_is_told_to_name_one() {
    assert!(error("export default {};").contains("neither `session.driver` nor an `adapter`"));
}

#[test]
fn a_file_without_a_configuration_is_told_so() {
    assert_eq!(error("const a = 1;"), "astro.config.mjs:1:1: this file has no `export default`");
    assert!(error("export default 'memory';").contains("the configuration is a string"));
    let made = "import merged from 'merged';\nexport default merged({ session: {} });";
    assert!(
        error(made).starts_with("astro.config.mjs:2:16: `merged({ session: {} })` is not known")
    );
    assert!(
        error("export default { session: { driver: 'memory' }").starts_with("astro.config.mjs:1:")
    );
    let project = Project::new(&[("other.config.mjs", "")]);
    let missing = project.folder.path().join("astro.config.mjs");
    let missing = read(&missing, &|_| None).unwrap_err().to_string();
    assert!(missing.contains("astro.config.mjs"), "{missing}");
}

#[test]
fn what_is_wrong_in_an_imported_file_is_told_with_its_name() {
    let project = Project::new(&[
        (
            "astro.config.mjs",
            "import { driver } from './lib/driver.mjs';\nexport default { session: { driver } };",
        ),
        ("lib/driver.mjs", "\nexport const driver = choose();"),
    ]);
    assert!(
        project.error(&[]).starts_with("lib/driver.mjs:2:23: `choose()`"),
        "{}",
        project.error(&[])
    );

    let message =
        error("import { driver } from './gone.mjs';\nexport default { session: { driver } };");
    assert_eq!(message, "astro.config.mjs:1:24: there is no file ./gone.mjs");
    let project = Project::new(&[
        (
            "astro.config.mjs",
            "import { driver } from './lib.mjs';\nexport default { session: { driver } };",
        ),
        ("lib.mjs", "export const drivers = 1;"),
    ]);
    assert_eq!(project.error(&[]), "astro.config.mjs:1:24: ./lib.mjs has no export `driver`");
}

#[test]
fn what_leads_back_to_itself_ends() {
    let message = error("const a = b;\nconst b = a;\nexport default { session: { driver: a } };");
    assert!(message.contains("leads back to itself"), "{message}");
    let project = Project::new(&[
        ("astro.config.mjs", "export { default } from './other.mjs';"),
        ("other.mjs", "export { default } from './astro.config.mjs';"),
    ]);
    assert!(project.error(&[]).contains("leads back to itself"), "{}", project.error(&[]));

    let doubled: String =
        (1..40).map(|n| format!("const a{n} = a{} + a{};\n", n - 1, n - 1)).collect();
    let message = error(&format!(
        "const a0 = 'a';\n{doubled}export default {{ session: {{ driver: a39 }} }};"
    ));
    assert!(message.contains("too far for a configuration"), "{message}");

    let deep = format!("export default {}1{};", "(".repeat(5000), ")".repeat(5000));
    assert!(error(&deep).contains("too deeply nested"));
    assert!(error(&" ".repeat(300_000)).contains("too large"));
    for (prefix, count) in [("!", 200_000), ("a => ", 50_000), ("a ? ", 50_000), ("new ", 60_000)] {
        _ = error(&format!("export default {}1;", prefix.repeat(count)));
    }
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_an_error(text in "[ -~\n]{0,80}") {
        let project = Project::new(&[("astro.config.ts", &text)]);
        _ = project.read(&[]);
    }

    #[test]
    fn any_expression_is_a_value_or_an_error(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "b", "{", "}", "[", "]", "(", ")", ",", ":", "...", ".", "?.", "=>", "`${", "`", "'x'", "1", "-",
                "+", "!", "??", "||", "?", "=", "process", "env", "import.meta", "new", "URL", "await", "const", ";",
                "export", "default", "session", "driver", "import", "from", "'./astro.config.ts'", "as", "*",
            ]),
            0..40,
        )
    ) {
        let words = words.join(" ");
        let text = format!("const a = {words};\nexport const b = a;\nexport default {{ session: {{ driver: {words} }} }};");
        for text in [text, words] {
            _ = Project::new(&[("astro.config.ts", &text)]).read(&[]);
        }
    }
}
