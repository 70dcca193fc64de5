//! Configurations made by chance, of what configurations are made of and of what goes wrong with them.

use super::Files;

/// SplitMix64: the same numbers from the same seed, everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn pick<'t, T: ?Sized>(&mut self, choices: &[&'t T]) -> &'t T {
        choices[self.below(choices.len())]
    }
}

/// What was declared so far.
struct Site {
    chance: Chance,
    /// Names of plain values, of objects with `x`, `y` and an object `in`, and of arrays.
    plain: Vec<String>,
    objects: Vec<String>,
    arrays: Vec<String>,
    functions: Vec<String>,
    text: String,
}

/// The files of the site of this seed.
pub(super) fn site(seed: u64) -> Files {
    let mut site = Site {
        chance: Chance(seed),
        plain: vec!["'p'".to_owned()],
        objects: vec!["{ x: 1, y: 'y', in: { z: 2 } }".to_owned()],
        arrays: vec!["['a', 2]".to_owned()],
        functions: vec!["((s) => { s.x = 0; })".to_owned()],
        text: String::new(),
    };
    let mut files = Files::new();
    site.line("import { defineConfig } from 'astro/config';");
    if site.chance.one_in(3) {
        site.modules(&mut files);
    }
    if site.chance.one_in(6) {
        site.environment_files(&mut files);
    }
    for _ in 0..2 + site.chance.below(6) {
        site.declaration();
        if site.chance.one_in(9) {
            site.change();
        }
    }
    let (first, second, third) = (site.value(3), site.object(2), site.value(3));
    let config = format!(
        "defineConfig({{ session: {{ driver: 'memory', options: {{ first: {first}, second: {second}, third: {third} }} }} }})"
    );
    match site.chance.below(4) {
        0 => site.line(&format!("const config = {config};\nexport default config;")),
        1 => site.line(&format!("const config = {config};\nexport {{ config as default }};")),
        _ => site.line(&format!("export default {config};")),
    }
    if site.chance.one_in(12) {
        site.change();
    }
    // Vite takes its time for each file that is none for Node.
    let name = if seed.is_multiple_of(25) { "astro.config.ts" } else { "astro.config.mjs" };
    files.insert(0, (name.to_owned(), site.text));
    files
}

impl Site {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn new_name(&mut self, kind: &str) -> String {
        format!("{kind}{}", self.text.len())
    }

    fn named(&mut self, kind: fn(&Site) -> &Vec<String>) -> String {
        let at = self.chance.below(kind(self).len());
        kind(self)[at].clone()
    }

    /// Other files, of which some change what others export, or the environment.
    fn modules(&mut self, files: &mut Files) {
        let shared = "export const o = { x: 5, y: 'shared', in: { z: 6 } };\nexport const p = 'shared';\n\
                      export default { x: 7, y: 'default', in: o.in };";
        files.push(("lib/shared.mjs".to_owned(), shared.to_owned()));
        let import = match self.chance.below(4) {
            0 => {
                self.objects.push("shared.o".to_owned());
                self.plain.push("shared.p".to_owned());
                "import * as shared from './lib/shared.mjs';"
            }
            1 => {
                self.objects.extend(["o".to_owned(), "whole".to_owned()]);
                "import whole, { o } from './lib/shared.mjs';"
            }
            2 => {
                files
                    .push(("again.mjs".to_owned(), "export * from './lib/shared.mjs';".to_owned()));
                self.objects.push("o".to_owned());
                "import { o, p } from './again.mjs';"
            }
            _ => {
                self.objects.push("renamed".to_owned());
                self.plain.push("p".to_owned());
                "import { o as renamed, p } from './lib/shared.mjs';"
            }
        };
        self.line(import);
        let effects = [
            "import { o } from './lib/shared.mjs';\no.x = 'changed';",
            "import whole from './lib/shared.mjs';\nwhole.in.z = 'changed';",
            "import * as all from './lib/shared.mjs';\nconst f = (s) => { s.o.y = 'changed'; };\nf(all);",
            "process.env.UNSET ??= 'set by a file';",
            "const env = process.env;\nenv.UNSET ??= 'set by another name';",
            "Object.assign(process.env, { UNSET: 'assigned' });",
            "export const nothing = 1;",
            "console.log('nothing');",
        ];
        if self.chance.one_in(2) {
            let effect = self.chance.pick(&effects).to_owned();
            files.push(("effect.mjs".to_owned(), effect));
            let import = self.chance.pick(&[
                "import './effect.mjs';",
                "import {} from './effect.mjs';",
                "await import('./effect.mjs');",
            ]);
            self.line(import);
        }
    }

    fn environment_files(&mut self, files: &mut Files) {
        let mut write = |name: &str, text: &str| files.push((name.to_owned(), text.to_owned()));
        write(".env", "UNSET=from .env\nONLY=only # here\nBOTH='first'\nVITE_ONE=$ONLY/${SET}\n");
        write(".env.local", "BOTH=\"local\"\nexport LOCAL = 5\n");
        write(".env.production", "MODE_ONE=production\nSET=never\n");
        write(".env.development", "MODE_ONE=development\n");
        write(".env.production.local", "LOCAL=7\n");
        let load = self.chance.pick(&[
            "const env = loadEnv(process.env.NODE_ENV, process.cwd(), '');",
            "const env = loadEnv('development', process.cwd(), ['VITE_', 'MODE_', 'UN']);",
            "const env = loadEnv(process.env.NODE_ENV ?? 'development', import.meta.dirname, \"\");",
            "const env = loadEnv('production', '.', 'LOC');",
            "const env = loadEnv('production', process.cwd());",
            "const env = { ...loadEnv('production', process.cwd(), '') };",
            "process.loadEnvFile(); const env = process.env;",
            "process.loadEnvFile(new URL('./.env.local', import.meta.url)); const env = process.env;",
            "try { process.loadEnvFile('gone.env'); } catch {} const env = process.env;",
            "const env = loadEnv(import.meta.env.MODE, process.cwd(), '');",
        ]);
        self.line(&format!("import {{ loadEnv }} from 'vite';\n{load}"));
        for name in ["UNSET", "ONLY", "BOTH", "VITE_ONE", "LOCAL", "MODE_ONE", "SET", "NONE"] {
            self.plain.push(format!("env.{name}"));
        }
    }

    fn declaration(&mut self) {
        let keyword = self.chance.pick(&["const", "const", "let", "var"]);
        match self.chance.below(12) {
            0..=2 => {
                let (name, value) = (self.new_name("p"), self.value(3));
                self.line(&format!("{keyword} {name} = {value};"));
                self.plain.push(name);
            }
            3..=5 => {
                let (name, value) = (self.new_name("o"), self.object(2));
                self.line(&format!("{keyword} {name} = {value};"));
                self.objects.push(name);
            }
            6 => {
                let (name, object) = (self.new_name("d"), self.object(1));
                let default = self.value(1);
                self.line(&format!("{keyword} {{ x: {name}, in: i{name} = {{ z: {default} }}, w: w{name} = {default} }} = {object};"));
                self.plain.extend([name.clone(), format!("i{name}.z"), format!("w{name}")]);
            }
            7 => {
                let (name, first) = (self.new_name("a"), self.value(1));
                let second = self.object(1);
                self.line(&format!("{keyword} {name} = [{first}, {second}];"));
                self.objects.push(format!("{name}[1]"));
                self.arrays.push(name);
            }
            8 => {
                let (name, array) = (self.new_name("e"), self.named(|site| &site.arrays));
                self.line(&format!("{keyword} [{name}, , n{name} = 'third'] = {array};"));
                self.plain.extend([name.clone(), format!("n{name}")]);
            }
            9 => {
                let name = self.new_name("f");
                let object = self.named(|site| &site.objects);
                let body = match self.chance.below(5) {
                    0 => "(s) => { s.x = 'by a function'; }".to_owned(),
                    1 => "(s) => s".to_owned(),
                    2 => "function (s) { s.in = { z: 'by a function' }; return s; }".to_owned(),
                    3 if !object.starts_with('{') => {
                        format!("() => {{ {object}.y = 'by a closure'; }}")
                    }
                    _ => "(s) => ({ ...s })".to_owned(),
                };
                self.line(&format!("{keyword} {name} = {body};"));
                self.functions.push(name);
            }
            10 => {
                let (name, method) =
                    (self.new_name("u"), self.chance.pick(&["href", "host", "port", "pathname"]));
                self.line(&format!(
                    "{keyword} {name} = new URL('redis://user:pw@cache:6380/1?a=b');"
                ));
                self.plain.push(format!("{name}.{method}"));
            }
            _ => {
                let (name, object) = (self.new_name("g"), self.object(1));
                let spread = self.object(1);
                self.line(&format!(
                    "{keyword} {name} = {{ ...{object}, y: 'own', ...({spread}) }};"
                ));
                self.objects.push(name);
            }
        }
    }

    /// A statement that changes something, or looks as if it did.
    fn change(&mut self) {
        let object = self.named(|site| &site.objects);
        if object.starts_with('{') {
            return;
        }
        let (value, function) = (self.value(1), self.named(|site| &site.functions));
        let array = self.named(|site| &site.arrays);
        let change = match self.chance.below(18) {
            0 => format!("{object}.x = {value};"),
            1 => format!("{object}.in.z = {value};"),
            2 => format!("Object.assign({object}, {{ y: {value} }});"),
            3 => format!("Reflect.set({object}, 'x', {value});"),
            4 => format!("[{object}].forEach((s) => {{ s.x = {value}; }});"),
            5 => format!("{function}({object});"),
            6 => format!("{function}({object}).y = {value};"),
            7 => format!("for (const s of [{object}]) s.y = {value};"),
            8 => format!("({{ a: {object}.x }} = {{ a: {value} }});"),
            9 => format!("delete {object}.y;"),
            10 => format!("if ({value}) {{ const other = {object}; other.x = 3; }}"),
            11 => format!("({{ s: {object} }}).s.x = {value};"),
            12 => format!("console.log({object});"),
            13 => format!("JSON.stringify({object});"),
            14 => "process.env.UNSET = 'set';".to_owned(),
            15 => "for (const name of ['UNSET']) process.env[name] = 'computed';".to_owned(),
            16 if !array.starts_with('[') => format!("{array}.push({value});"),
            _ => format!("(() => {{ {object}.x = {value}; }})();"),
        };
        self.line(&format!(";{change}"));
    }

    /// An object with `x`, `y` and an object `in`, or nearly.
    fn object(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance.one_in(3) {
            return self.named(|site| &site.objects);
        }
        let depth = depth - 1;
        match self.chance.below(7) {
            0 => format!("{{ ...{}, x: {} }}", self.object(depth), self.value(depth)),
            1 => {
                format!("({} ? {} : {})", self.value(depth), self.object(depth), self.object(depth))
            }
            2 => format!("({} || {})", self.object(depth), self.object(depth)),
            3 => {
                let (condition, value) = (self.value(depth), self.value(depth));
                format!("{{ x: 0, y: 0, in: {{ z: 0 }}, ...({condition} && {{ y: {value} }}) }}")
            }
            4 => {
                let (object, value) = (self.named(|site| &site.objects), self.value(depth));
                format!("{{ x: {value}, y: 2, in: {object} }}")
            }
            _ => {
                let (first, second) = (self.value(depth), self.value(depth));
                format!("{{ x: {first}, ['y']: {second}, in: {{ z: {first} }} }}")
            }
        }
    }

    /// Something that is no object, or nearly.
    fn value(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance.one_in(4) {
            return self.named(|site| &site.plain);
        }
        let depth = depth - 1;
        let operator =
            self.chance.pick(&["+", "-", "*", "&&", "||", "??", "===", "!==", "==", "<", "%"]);
        let (first, second) = (self.value(depth), self.value(depth));
        match self.chance.below(14) {
            0 => self
                .chance
                .pick(&["5", "0", "1e21", "0.1", "-1", "1e-7", "60 * 60", "2 ** 10"])
                .to_owned(),
            1 => self
                .chance
                .pick(&["'text'", "''", "'12px'", "'0x1f'", "' 7 '", "'\\ufeff3'", "'\\u00853'"])
                .to_owned(),
            2 => self.chance.pick(&["true", "false", "null", "undefined"]).to_owned(),
            3 => format!("(({first}) {operator} ({second}))"),
            4 => format!("`a${{{first}}}b`"),
            5 => format!("({first} ? {second} : {first})"),
            6 => {
                let function =
                    self.chance.pick(&["Number", "String", "parseInt", "parseFloat", "Boolean"]);
                format!("`${{{function}({first})}}`")
            }
            7 => format!(
                "{}.{}",
                self.named(|site| &site.objects),
                self.chance.pick(&["x", "y", "in.z", "in?.q", "w"])
            ),
            8 => format!(
                "{}[{}]",
                self.named(|site| &site.arrays),
                self.chance.pick(&["0", "1", "9", "'length'"])
            ),
            9 => {
                let name = self.chance.pick(&["SET", "UNSET", "NUMBER", "EMPTY", "NODE_ENV"]);
                format!("(process.env.{name} {} {second})", self.chance.pick(&["??", "||"]))
            }
            10 => format!(
                "(import.meta.env?.{} ?? {first})",
                self.chance.pick(&["MODE", "SET", "PROD", "VITE_SET"])
            ),
            11 => format!("({first} ?? {second})"),
            12 => format!("!({first})"),
            _ => format!("({})['x']", self.object(1)),
        }
    }
}
