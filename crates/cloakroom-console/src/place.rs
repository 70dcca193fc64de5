//! Where a page is, below whatever path the console was nested at.

use axum::extract::OriginalUri;
use axum::http::request::Parts;

/// A request's path.
pub(crate) struct Place {
    path: String,
    /// What leads from this page to the console's first one, as its beginning: links are relative, since nobody here knows the
    /// path that a browser sees.
    pub(crate) root: String,
}

impl Place {
    pub(crate) fn of(parts: &Parts) -> Place {
        let path = parts.uri.path();
        let original = parts.extensions.get::<OriginalUri>();
        let original = original.map_or(path, |OriginalUri(uri)| uri.path());
        Place { path: path.to_owned(), root: root(original, path) }
    }

    /// What stands between its slashes.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

fn root(original: &str, path: &str) -> String {
    let is_first = path.trim_matches('/').is_empty();
    match original.rsplit('/').next() {
        // A browser takes what follows the last slash for a file, beside which others are.
        Some(last) if is_first && !last.is_empty() => format!("./{last}/"),
        _ => match path.trim_start_matches('/').matches('/').count() {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_first_page_from_wherever_a_page_is() {
        for (original, path, expected) in [
            ("/", "/", "./"),
            ("/sessions", "/sessions", "./"),
            ("/sessions/", "/sessions/", "../"),
            ("/sessions/8f3a/revoke", "/sessions/8f3a/revoke", "../../"),
            ("/admin", "/", "./admin/"),
            ("/admin/", "/", "./"),
            ("/a/b/sessions/8f3a", "/sessions/8f3a", "../"),
        ] {
            assert_eq!(root(original, path), expected, "{original}");
        }
    }
}
