//! Which file an import names, for Node and for Vite.

use std::path::{Path, PathBuf};

use crate::known;
use crate::modules::Modules;
use crate::paths::normal;

/// What a specifier names.
pub(crate) enum Found {
    /// A file that is followed; `by_node` where Node finds it, too.
    File {
        path: PathBuf,
        shown: String,
        by_node: bool,
    },
    /// A file that is no code.
    Data,
    /// A file of the site's that is not followed: by an alias, with a query, or of another kind.
    Unread,
    Nothing,
    Package,
}

/// The endings that are looked for where there is none, in Vite's order.
const VITES_ENDINGS: [&str; 7] = ["mjs", "js", "mts", "ts", "jsx", "tsx", "json"];

/// As `require` looks for them.
const NODES_ENDINGS: [&str; 2] = ["js", "json"];

const CODE: [&str; 8] = ["mjs", "js", "cjs", "mts", "ts", "cts", "jsx", "tsx"];

const DATA: [&str; 14] = [
    "json", "css", "scss", "sass", "less", "svg", "png", "jpg", "webp", "md", "txt", "html",
    "yaml", "wasm",
];

impl Modules<'_> {
    /// What an import of this module names; `required` where it is one in its midst, which may be by `require`.
    pub(crate) fn find(&self, module: usize, specifier: &str, required: bool) -> Found {
        if !known::is_local(specifier) {
            return Found::Package;
        }
        let is_relative = specifier.starts_with("./")
            || specifier.starts_with("../")
            || matches!(specifier, "." | "..");
        if !is_relative || specifier.contains(['?', '#', '%']) {
            return Found::Unread;
        }
        let importer = self.get(module);
        let Some(folder) = importer.path.parent() else { return Found::Nothing };
        let is_common_js =
            required && ending(&importer.path).is_some_and(|ending| matches!(ending, "cjs" | "js"));
        let endings = if is_common_js { &NODES_ENDINGS[..] } else { &VITES_ENDINGS };
        let has_data_ending =
            ending(Path::new(specifier)).is_some_and(|ending| DATA.contains(&ending));
        let Some(name) = candidate(folder, specifier, &importer.path, endings) else {
            return if has_data_ending { Found::Data } else { Found::Nothing };
        };
        let path = normal(&folder.join(&name));
        let Some(ending) = ending(&path) else { return Found::Unread };
        if !CODE.contains(&ending) {
            return if DATA.contains(&ending) { Found::Data } else { Found::Unread };
        }
        let folder = Path::new(&importer.shown).parent().unwrap_or(Path::new(""));
        let shown = normal(&folder.join(&name)).display().to_string();
        let by_node = name == specifier && matches!(ending, "mjs" | "js" | "cjs");
        Found::File { path, shown, by_node }
    }
}

fn ending(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// The specifier of the file that is found, with what has to be added to it.
fn candidate(folder: &Path, specifier: &str, importer: &Path, endings: &[&str]) -> Option<String> {
    let is_file = |name: &String| folder.join(name).is_file();
    let exact = Some(specifier.to_owned()).filter(is_file);
    if exact.is_some() {
        return exact;
    }
    // TypeScript imports by the names of the files that it would write.
    if matches!(ending(importer), Some("ts" | "mts" | "cts" | "tsx"))
        && let Some((stem, ending)) = specifier.rsplit_once('.')
    {
        let typed: &[&str] = match ending {
            "js" => &["ts", "tsx"],
            "mjs" => &["mts"],
            "cjs" => &["cts"],
            "jsx" => &["tsx"],
            _ => &[],
        };
        let typed = typed.iter().map(|ending| format!("{stem}.{ending}")).find(is_file);
        if typed.is_some() {
            return typed;
        }
    }
    let with_ending = endings.iter().map(|ending| format!("{specifier}.{ending}")).find(is_file);
    if with_ending.is_some() {
        return with_ending;
    }
    let package = format!("{specifier}/package.json");
    if is_file(&package) {
        // Which of its files that names is the package's business.
        return folder.join(specifier).is_dir().then(|| format!("{specifier}/"));
    }
    endings.iter().map(|ending| format!("{specifier}/index.{ending}")).find(is_file)
}
