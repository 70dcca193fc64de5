//! Pages that are the same for everybody, and have no session.

use std::fmt;
use std::sync::Arc;

use crate::commit::Shared;
use crate::error::{Error, ErrorKind};

use super::SitePath;

/// The routes of a site that are prerendered: static files, and pages that are the same for everybody.
///
/// A session there is an error that names the route, as in Astro; such a route never gets a cookie or a `Vary`, and
/// never asks the store. Framework adapters take the routes as `prerendered`.
///
/// ```
/// use cloakroom_session::adapter::PrerenderedRoutes;
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
    Page(SitePath),
    Below(SitePath),
}

impl PrerenderedRoutes {
    /// `/about` is one page, with or without a slash at the end; `/assets/*` is everything below `/assets/`. A route may be
    /// written as it is shown or as it is sent: `/über` is asked for as `/%C3%BCber`.
    pub fn new(routes: impl IntoIterator<Item = impl Into<String>>) -> PrerenderedRoutes {
        PrerenderedRoutes(routes.into_iter().map(|route| Route::new(&route.into())).collect())
    }

    /// The page at this path, if it is one of them.
    pub fn find(&self, path: &str) -> Option<Prerendered> {
        self.0
            .iter()
            .any(|route| route.matches(path))
            .then(|| Prerendered { path: path.into(), owner: None })
    }
}

impl Route {
    fn new(route: &str) -> Route {
        match route.strip_suffix('*') {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => {
                Route::Below(SitePath::new(folder))
            }
            _ => Route::Page(SitePath::new(route)),
        }
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Route::Page(page) => page.is(path),
            Route::Below(folder) => folder.below(path).is_some_and(|rest| !rest.is_empty()),
        }
    }
}

impl fmt::Debug for Prerendered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Prerendered").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A request for a prerendered page, which has no session.
#[derive(Clone)]
pub struct Prerendered {
    path: Arc<str>,
    /// Whose session it is that there is none of, where a layer has said so.
    owner: Option<Arc<Shared>>,
}

impl Prerendered {
    /// The page, said by a layer of these sessions.
    pub(crate) fn owned_by(self, owner: &Arc<Shared>) -> Prerendered {
        Prerendered { owner: Some(Arc::clone(owner)), ..self }
    }

    /// Whether a layer of these sessions has said so.
    pub(crate) fn is_of(&self, owner: &Arc<Shared>) -> bool {
        self.owner.as_ref().is_some_and(|own| Arc::ptr_eq(own, owner))
    }

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

    #[test]
    fn a_page_is_found_however_its_name_is_written_and_asked_for() {
        let routes = PrerenderedRoutes::new(["/über", "a b/*", "/%C3%A4"]);
        for path in ["/%C3%BCber", "/%c3%bcber/", "/a%20b/c", "/%C3%A4", "/ä"] {
            assert!(routes.find(path).is_some(), "{path}");
        }
        for path in ["/a%20b", "/a%20b%2Fc", "/%C3%BCber/mehr", "/ber"] {
            assert!(routes.find(path).is_none(), "{path}");
        }
    }
}
