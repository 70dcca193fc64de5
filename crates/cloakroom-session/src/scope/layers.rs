//! The session layers that a request passes, and which of them a session belongs to.

use std::fmt;
use std::sync::Arc;

use crate::commit::Shared;
use crate::config::OutagePolicy;
use crate::cookie::CookieHeaders;
use crate::sessions::Sessions;

use super::{PrerenderedRoutes, Scope};

/// What a request has from the session layers that it passed so far. An adapter keeps it with the request, so that a
/// layer further in finds the session of its [`Sessions`] instead of beginning a second one. For authors of framework
/// adapters.
#[derive(Clone, Default)]
pub struct Scopes {
    /// Apart from the others, because almost always it is the only one.
    innermost: Option<Scope>,
    /// From the outside to the inside.
    others: Vec<Scope>,
}

/// What a layer gives a request. [`Sessions::enter`] makes it.
#[derive(Clone, Debug)]
pub struct Entered {
    /// What the request has below this layer.
    pub scope: Scope,
    /// The same together with what it has above, to be kept with the request.
    pub scopes: Scopes,
    /// Whether a layer above has the session and its commit already, so that this one leaves the response alone.
    pub joined: bool,
}

impl Scopes {
    /// What the request has where it is now: the scope of the innermost layer, and none below no layer at all.
    pub fn innermost(&self) -> Option<&Scope> {
        self.innermost.as_ref()
    }

    /// Whether there is more than the innermost, so that it is not enough to keep that.
    pub fn is_nested(&self) -> bool {
        !self.others.is_empty()
    }

    fn of(&self, owner: &Arc<Shared>) -> Option<&Scope> {
        let mut inside_out = self.innermost.iter().chain(self.others.iter().rev());
        inside_out.find(|scope| scope.is_of(owner))
    }

    /// What is nested below its own kind takes its place.
    fn push(&mut self, scope: Scope, owner: &Arc<Shared>) {
        let before = self.innermost.replace(scope);
        self.others.extend(before.filter(|before| !before.is_of(owner)));
    }
}

/// Below a single layer.
impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Scopes {
        Scopes { innermost: Some(scope), others: Vec::new() }
    }
}

impl Scope {
    fn is_of(&self, owner: &Arc<Shared>) -> bool {
        match self {
            Scope::Session(session) => session.is_of(owner),
            Scope::Prerendered(page) => page.is_of(owner),
        }
    }

    /// What a layer says about outages, where it says something.
    fn declare(&self, outage: Option<OutagePolicy>) {
        if let (Scope::Session(session), Some(policy)) = (self, outage) {
            session.inner.set_outage_policy(policy);
        }
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.others.iter().chain(&self.innermost)).finish()
    }
}

impl Sessions {
    /// As [`enter`](Sessions::enter), below no other layer.
    pub fn enter_first(
        &self,
        path: &str,
        prerendered: &PrerenderedRoutes,
        outage: Option<OutagePolicy>,
        cookies: impl FnOnce() -> CookieHeaders,
    ) -> Scope {
        if let Some(page) = prerendered.find(path) {
            return Scope::Prerendered(page.owned_by(self.shared()));
        }
        let scope = Scope::Session(self.session(cookies()));
        scope.declare(outage);
        scope
    }

    /// What a request to this path has below a layer of these sessions, given what it has `above`: for each
    /// [`Sessions`] one session at most, and so one cookie, however many layers there are.
    ///
    /// A session that a layer above has begun goes on, under the outage policy of this layer. None is there where a
    /// layer, this one or one above, calls the page prerendered. For authors of framework adapters.
    pub fn enter(
        &self,
        above: &Scopes,
        path: &str,
        prerendered: &PrerenderedRoutes,
        outage: Option<OutagePolicy>,
        cookies: impl FnOnce() -> CookieHeaders,
    ) -> Entered {
        let begun = above.of(self.shared());
        let joined = begun.is_some();
        let scope = match begun {
            Some(begun) if prerendered.find(path).is_none() => {
                begun.declare(outage);
                begun.clone()
            }
            _ => self.enter_first(path, prerendered, outage, cookies),
        };
        let mut scopes = above.clone();
        scopes.push(scope.clone(), self.shared());
        Entered { scope, scopes, joined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    async fn sessions() -> Sessions {
        Sessions::from_config(Config::new("memory")).await.unwrap()
    }

    fn enter(sessions: &Sessions, above: &Scopes, prerendered: &[&str]) -> Entered {
        let prerendered = PrerenderedRoutes::new(prerendered.iter().copied());
        sessions.enter(above, "/about", &prerendered, None, CookieHeaders::default)
    }

    /// The ID of the session that has been set in.
    fn id(entered: &Entered) -> String {
        let Scope::Session(session) = &entered.scope else { panic!("{entered:?}") };
        session.set("name", "Ann").unwrap();
        session.id().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_layer_that_is_there_twice_is_one_session() {
        let sessions = sessions().await;
        let outer = enter(&sessions, &Scopes::default(), &[]);
        let inner = enter(&sessions.clone(), &outer.scopes, &[]);
        assert!(!outer.joined && inner.joined);
        assert_eq!(id(&outer), id(&inner));
    }

    #[tokio::test]
    async fn other_sessions_between_two_layers_do_not_hide_the_one_from_the_other() {
        let (sessions, others) = (sessions().await, sessions().await);
        let outer = enter(&sessions, &Scopes::default(), &[]);
        let between = enter(&others, &outer.scopes, &[]);
        let inner = enter(&sessions, &between.scopes, &[]);
        assert!(!between.joined && inner.joined);
        assert_ne!(id(&outer), id(&between));
        assert_eq!(id(&outer), id(&inner));
        assert!(enter(&others, &inner.scopes, &[]).joined);
    }

    #[tokio::test]
    async fn a_page_is_prerendered_where_one_layer_says_so() {
        let (sessions, others) = (sessions().await, sessions().await);
        for (outer, inner) in [(["/about"], ["/"]), (["/"], ["/about"])] {
            let outer = enter(&sessions, &Scopes::default(), &outer);
            let inner = enter(&sessions, &outer.scopes, &inner);
            assert!(inner.joined);
            assert!(matches!(inner.scopes.innermost(), Some(Scope::Prerendered(_))));
            let innermost = enter(&sessions, &inner.scopes, &[]);
            assert!(matches!(innermost.scope, Scope::Prerendered(_)));
            assert!(matches!(enter(&others, &inner.scopes, &[]).scope, Scope::Session(_)));
        }
    }
}
