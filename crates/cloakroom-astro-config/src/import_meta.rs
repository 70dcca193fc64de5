//! Whether Node or Vite loads the configuration, which decides what `import.meta.env` is.

use crate::effects::MetaEnvironment;
use crate::known;
use crate::module::Request;
use crate::modules::Modules;
use crate::resolve::Found;

/// Who loads the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Importer {
    /// Node, where `import.meta.env` is undefined.
    Node,
    /// A development server of Vite's, where it is what that server has.
    Vite,
    /// Node if it can, which reading does not show.
    Perhaps,
}

impl Modules<'_> {
    /// Astro has Node import JavaScript, and Vite what Node cannot, and TypeScript.
    pub(crate) fn importer(&self) -> Importer {
        let is_javascript = self
            .get(0)
            .path
            .extension()
            .is_some_and(|ending| ending == "js" || ending == "mjs" || ending == "cjs");
        if !is_javascript {
            return Importer::Vite;
        }
        let uses = || self.all().flat_map(|file| &file.effects.meta_environment);
        // Node has no `import.meta.env`, so a member of it ends the import there.
        if uses().any(|using| matches!(using, MetaEnvironment::Always)) {
            return Importer::Vite;
        }
        let is_harmless = uses().all(|using| matches!(using, MetaEnvironment::Optional));
        let is_nodes = self.all().enumerate().all(|(module, file)| {
            file.effects.runs.is_empty()
                && file.requests.iter().all(|request| self.is_nodes(module, request))
        });
        if is_harmless && is_nodes { Importer::Node } else { Importer::Perhaps }
    }

    fn is_nodes(&self, module: usize, request: &Request<'_>) -> bool {
        let specifier = request.specifier;
        match self.find(module, specifier, false) {
            Found::File { by_node, .. } => by_node,
            Found::Package => {
                known::node_module(specifier).is_some()
                    || specifier.starts_with("@astrojs/")
                    || matches!(specifier, "astro/config" | "vite" | "dotenv" | "dotenv/config")
            }
            Found::Data | Found::Unread | Found::Nothing => false,
        }
    }
}
