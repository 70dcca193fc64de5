//! Whether whoever reads about a method sees it used.

/// The files that have the methods which users meet first.
pub(crate) const FILES: [&str; 15] = [
    "crates/cloakroom-session/src/config/adapter.rs",
    "crates/cloakroom-session/src/config/astro/mod.rs",
    "crates/cloakroom-session/src/config/mod.rs",
    "crates/cloakroom-session/src/forms/flash.rs",
    "crates/cloakroom-session/src/session/key.rs",
    "crates/cloakroom-session/src/session/life.rs",
    "crates/cloakroom-session/src/session/mod.rs",
    "crates/cloakroom-session/src/session/options.rs",
    "crates/cloakroom-session/src/session/update.rs",
    "crates/cloakroom-session/src/session/write.rs",
    "crates/cloakroom-session/src/sessions/builder.rs",
    "crates/cloakroom-session/src/sessions/mod.rs",
    "crates/cloakroom-storage/src/driver.rs",
    "crates/cloakroom-tower/src/layer.rs",
    "crates/serde_devalue/src/lib.rs",
];

/// The public functions of a file whose documentation has no program.
pub(crate) fn missing(text: &str) -> Vec<&str> {
    let mut missing = Vec::new();
    let (mut has_program, mut is_in_trait) = (false, false);
    let tests = text.find("\n#[cfg(test)]").unwrap_or(text.len());
    for line in text[..tests].lines() {
        let begins = line.starts_with("pub trait ") && !line.ends_with('}');
        is_in_trait = begins || is_in_trait && line != "}";
        let line = line.trim();
        match line.strip_prefix("///") {
            Some(documentation) => has_program |= documentation.trim_start().starts_with("```"),
            // An attribute stands between the documentation and its item.
            None if line.starts_with("#[") => {}
            None => {
                if let Some(name) = function(line, is_in_trait)
                    && !has_program
                {
                    missing.push(name);
                }
                has_program = false;
            }
        }
    }
    missing
}

/// The name of the public function that begins here.
fn function(line: &str, is_in_trait: bool) -> Option<&str> {
    let rest = if is_in_trait { line } else { line.strip_prefix("pub ")? };
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    rest.strip_prefix("fn ")?.split(['<', '(']).next()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn functions_without_a_program_are_named() {
        let text = "/// Reads.\n///\n/// ```\n/// read();\n/// ```\n#[must_use]\npub fn read() {}\n\n/// Writes.\npub async fn \
                    write<T>(value: T) {}\n\n/// One.\npub const ONE: u32 = 1;\nfn private() {}\npub trait Store {\n/// Opens.\nasync fn open();\n}\n\n#[cfg(test)]\npub fn test() {}\n";
        assert_eq!(missing(text), ["write", "open"]);
    }
}
