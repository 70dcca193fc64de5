//! Pages that are the same for everybody, and have no session.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// The routes of a site that are prerendered: static files, and pages that are the same for everybody.
///
/// A session there is an error that names the route, as in Astro; such a route never gets a cookie or a `Vary`, and
/// never asks the store. Framework adapters take the routes as `prerendered`.
///
/// ```
/// use cloakroom_session::PrerenderedRoutes;
///
/// let routes = PrerenderedRoutes::new(["/about", "/assets/*"]);
/// assert!(routes.find("/about").is_some());
/// assert!(routes.find("/assets/shop.css").is_some());
/// assert!(routes.find("/cart").is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PrerenderedRoutes(Arc<[Route]>);

#[derive(Clone, Debug)]
enum Route {
    Page(String),
    /// With the slash at the end.
    Below(String),
}

impl PrerenderedRoutes {
    /// `/about` is one page, with or without a slash at the end; `/assets/*` is everything below `/assets/`.
    pub fn new(routes: impl IntoIterator<Item = impl Into<String>>) -> PrerenderedRoutes {
        PrerenderedRoutes(routes.into_iter().map(|route| Route::new(&route.into())).collect())
    }

    /// The page at this path, if it is one of them.
    pub fn find(&self, path: &str) -> Option<Prerendered> {
        self.0.iter().any(|route| route.matches(path)).then(|| Prerendered { path: path.into() })
    }
}

impl Route {
    fn new(route: &str) -> Route {
        match route.strip_suffix("/*") {
            Some(folder) => Route::Below(format!("{folder}/")),
            None => Route::Page(without_slash(route).to_owned()),
        }
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Route::Page(page) => page == without_slash(path),
            Route::Below(folder) => path.starts_with(folder.as_str()),
        }
    }
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// A request for a prerendered page, which has no session.
#[derive(Clone, Debug)]
pub struct Prerendered {
    path: Arc<str>,
}

impl Prerendered {
    /// Why there is no session here.
    pub fn error(&self) -> Error {
        let path = &self.path;
        Error::new(
            ErrorKind::NoSession,
            format!(
                "the route {path} is prerendered, so it has no session: a session exists only on pages that are \
                 rendered on demand; take the route out of the prerendered ones, or do without the session there"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_matched_whole_and_a_folder_by_what_is_below_it() {
        let routes = PrerenderedRoutes::new(["/about", "/assets/*", "/"]);
        for path in ["/about", "/about/", "/assets/a", "/assets/a/b.css", "/"] {
            assert!(routes.find(path).is_some(), "{path}");
        }
        for path in ["/about/us", "/abouts", "/assets", "/assetsmore/a", "/cart", ""] {
            assert_eq!(routes.find(path).is_some(), path.is_empty(), "{path}");
        }
    }
}
