//! Which functions leave what they are given alone, and the environment too.

use oxc::ast::ast::Expression;

use crate::module::{Binding, Bindings, Step};

/// What a call of a function can do to its arguments and to the environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Callee<'a> {
    /// Looks at its arguments; its result has nothing of them.
    Harmless,
    /// Vite's, which looks at its arguments and makes an object.
    LoadEnv,
    /// Looks at its arguments; its result may be or hold them.
    Passing,
    /// Changes its first argument.
    Mutating,
    /// Gives an object of the language itself.
    Prototype,
    Require,
    /// A function of a package.
    Package(&'a str),
    Unknown,
}

/// Methods of texts and arrays that change nothing and call nothing.
const READING_METHODS: [&str; 27] = [
    "at",
    "charAt",
    "charCodeAt",
    "endsWith",
    "getTime",
    "hasOwnProperty",
    "includes",
    "indexOf",
    "join",
    "lastIndexOf",
    "match",
    "padEnd",
    "padStart",
    "repeat",
    "search",
    "startsWith",
    "substring",
    "toFixed",
    "toISOString",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
    "trimEnd",
    "trimStart",
    "split",
    "test",
];

/// Methods whose result, or whose callback's arguments, are parts of the array.
const ITERATING_METHODS: [&str; 17] = [
    "concat",
    "entries",
    "every",
    "filter",
    "find",
    "findIndex",
    "flat",
    "flatMap",
    "forEach",
    "keys",
    "map",
    "reduce",
    "replace",
    "replaceAll",
    "slice",
    "some",
    "values",
];

/// Methods by which an array, a map or a URL's query is changed in its place.
const MUTATING_METHODS: [&str; 13] = [
    "add",
    "append",
    "copyWithin",
    "delete",
    "fill",
    "pop",
    "push",
    "reverse",
    "set",
    "shift",
    "sort",
    "splice",
    "unshift",
];

/// What a method of this name does to its receiver, where no object of the site has one of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    Reads,
    Iterates,
    Mutates,
}

impl Method {
    pub(crate) fn of(name: &str) -> Option<Method> {
        match name {
            _ if READING_METHODS.contains(&name) => Some(Method::Reads),
            _ if ITERATING_METHODS.contains(&name) => Some(Method::Iterates),
            _ if MUTATING_METHODS.contains(&name) => Some(Method::Mutates),
            _ => None,
        }
    }
}

/// Constructors that look at their arguments and nothing else.
pub(crate) fn is_harmless_constructor(callee: &Expression<'_>) -> bool {
    const NAMES: [&str; 11] = [
        "Array",
        "Date",
        "Error",
        "Map",
        "RegExp",
        "Set",
        "TextDecoder",
        "TextEncoder",
        "TypeError",
        "URL",
        "URLSearchParams",
    ];
    NAMES.iter().any(|name| callee.is_specific_id(name))
}

/// `a` and `b.c` of `a.b['c']`
pub(crate) fn path<'a>(expression: &Expression<'a>) -> Option<(&'a str, String)> {
    let expression = inner(expression);
    if let Expression::Identifier(name) = expression {
        return Some((name.name.as_str(), String::new()));
    }
    let member = expression.as_member_expression()?;
    let (root, path) = path(member.object())?;
    let name = member.static_property_name()?;
    Some((root, if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }))
}

/// Without the brackets, the types and the `?.` around it.
pub(crate) fn inner<'e, 'a>(expression: &'e Expression<'a>) -> &'e Expression<'a> {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expression::ParenthesizedExpression(inner) => &inner.expression,
            Expression::TSAsExpression(inner) => &inner.expression,
            Expression::TSSatisfiesExpression(inner) => &inner.expression,
            Expression::TSNonNullExpression(inner) => &inner.expression,
            Expression::TSTypeAssertion(inner) => &inner.expression,
            Expression::TSInstantiationExpression(inner) => &inner.expression,
            other => return other,
        };
    }
}

/// The package that a name comes from, and what of it: `import { a as name } from 'package'` or the same by `require`.
pub(crate) fn package_of<'a>(bindings: &Bindings<'a>, root: &str) -> Option<(&'a str, String)> {
    match bindings.get(root)? {
        Binding::Import(import) => {
            Some((import.specifier, import.name.unwrap_or_default().to_owned()))
        }
        Binding::Value { expression, steps, .. } => {
            let Expression::CallExpression(call) = inner(expression) else { return None };
            let [argument] = &call.arguments[..] else { return None };
            let Some(Expression::StringLiteral(specifier)) = argument.as_expression() else {
                return None;
            };
            let is_require =
                call.callee.is_specific_id("require") && !bindings.contains_key("require");
            let names = steps.iter().map(|step| match step {
                Step::Member(name, _) => Some(name.as_str()),
                Step::Element(..) | Step::Default(_) => None,
            });
            let names = names.collect::<Option<Vec<_>>>()?;
            is_require.then(|| (specifier.value.as_str(), names.join(".")))
        }
        Binding::Unknown(_) => None,
    }
}

/// Whether what an object has under this name is one of the language's own, which others lean on.
pub(crate) fn is_of_language(name: &str) -> bool {
    matches!(name, "__proto__" | "prototype" | "constructor")
}

/// What a call of this does.
pub(crate) fn callee<'a>(bindings: &Bindings<'a>, callee: &Expression<'a>) -> Callee<'a> {
    let Some((root, path)) = path(callee) else { return Callee::Unknown };
    if let Some((package, name)) = package_of(bindings, root) {
        if is_local(package) {
            return Callee::Unknown;
        }
        let whole = match (name.as_str(), path.as_str()) {
            ("" | "default", path) => path.to_owned(),
            (name, "") => name.to_owned(),
            (name, path) => format!("{name}.{path}"),
        };
        return of_package(package, &whole);
    }
    match bindings.get(root) {
        Some(_) => Callee::Unknown,
        None if path.is_empty() => of_language(root),
        None => of_language(&format!("{root}.{path}")),
    }
}

/// Whether a specifier names a file of the site, by whichever way.
pub(crate) fn is_local(specifier: &str) -> bool {
    specifier.starts_with(['.', '/', '#', '~'])
        || specifier.starts_with("@/")
        || specifier.contains(':') && !specifier.starts_with("node:")
}

/// The name of one of Node's own modules, without its scheme.
pub(crate) fn node_module(package: &str) -> Option<&str> {
    const NAMES: [&str; 14] = [
        "assert",
        "buffer",
        "child_process",
        "crypto",
        "events",
        "fs",
        "fs/promises",
        "module",
        "os",
        "path",
        "path/posix",
        "process",
        "url",
        "util",
    ];
    let name = package.strip_prefix("node:");
    name.or_else(|| NAMES.contains(&package).then_some(package))
}

fn of_package<'a>(package: &'a str, name: &str) -> Callee<'a> {
    if let Some(module) = node_module(package) {
        let harmless = match module {
            "path" | "path/posix" | "url" | "os" | "crypto" | "buffer" | "assert" => true,
            "fs" | "fs/promises" => {
                let name = name.strip_prefix("promises.").unwrap_or(name);
                let name = name.strip_suffix("Sync").unwrap_or(name);
                ["access", "exists", "lstat", "readFile", "readdir", "realpath", "stat"]
                    .contains(&name)
            }
            "module" => name == "createRequire",
            "util" => ["format", "inspect", "parseArgs", "parseEnv", "styleText"].contains(&name),
            "process" => return of_language(&format!("process.{name}")),
            _ => false,
        };
        return if harmless { Callee::Harmless } else { Callee::Unknown };
    }
    match (package, name) {
        ("astro/config", "defineConfig") => Callee::Passing,
        ("astro/config", name) if name.starts_with("sessionDrivers.") => Callee::Passing,
        ("astro/config", _) => Callee::Harmless,
        ("vite", "loadEnv") => Callee::LoadEnv,
        _ => Callee::Package(package),
    }
}

fn of_language<'a>(name: &str) -> Callee<'a> {
    const HARMLESS: [&str; 30] = [
        "Array.isArray",
        "BigInt",
        "Boolean",
        "Date.now",
        "Date.parse",
        "Number",
        "Number.isFinite",
        "Number.isInteger",
        "Number.isNaN",
        "Number.isSafeInteger",
        "Number.parseFloat",
        "Number.parseInt",
        "Object.hasOwn",
        "Object.is",
        "Object.keys",
        "String",
        "Symbol",
        "URL.canParse",
        "decodeURIComponent",
        "encodeURIComponent",
        "isFinite",
        "isNaN",
        "parseFloat",
        "parseInt",
        "process.cwd",
        "process.emitWarning",
        "process.exit",
        "process.hrtime",
        "process.uptime",
        "structuredClone",
    ];
    const PASSING: [&str; 9] = [
        "Array.from",
        "Array.of",
        "Object.entries",
        "Object.freeze",
        "Object.fromEntries",
        "Object.preventExtensions",
        "Object.seal",
        "Object.values",
        "Promise.resolve",
    ];
    const MUTATING: [&str; 8] = [
        "Object.assign",
        "Object.defineProperties",
        "Object.defineProperty",
        "Object.setPrototypeOf",
        "Reflect.defineProperty",
        "Reflect.deleteProperty",
        "Reflect.set",
        "Reflect.setPrototypeOf",
    ];
    let group = name.split('.').next().unwrap_or_default();
    match name {
        "require" => Callee::Require,
        "Object.getPrototypeOf" | "Reflect.getPrototypeOf" => Callee::Prototype,
        _ if HARMLESS.contains(&name) => Callee::Harmless,
        _ if PASSING.contains(&name) => Callee::Passing,
        _ if MUTATING.contains(&name) => Callee::Mutating,
        _ if matches!(group, "console" | "JSON" | "Math") && name != group => Callee::Harmless,
        _ => Callee::Unknown,
    }
}

/// Whether a package may set variables of the environment, going by its name.
pub(crate) fn is_about_environment(package: &str) -> bool {
    package.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| {
        let word = word.to_ascii_lowercase();
        word.contains("env")
            || word == "config" && !package.starts_with("astro/")
            || word == "varlock"
    })
}

/// Whether a package is made for Astro, Vite or Markdown, whose functions make integrations and plugins.
pub(crate) fn is_plugin(package: &str) -> bool {
    const WORDS: [&str; 8] =
        ["astro", "astrojs", "vite", "rehype", "remark", "rollup", "shiki", "tailwindcss"];
    !is_about_environment(package)
        && package
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word))
}
