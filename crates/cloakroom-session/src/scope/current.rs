//! The session of the request that is being answered, for code that it is not passed to.

use std::cell::RefCell;

use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;

use super::Prerendered;

thread_local! {
    /// Set while a handler is polled, and at no other time: a task that a handler spawns is no part of its request.
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// What [`Session::current`] finds while a request is answered. For authors of framework adapters.
#[derive(Clone, Debug)]
pub enum Scope {
    /// A request with a session.
    Session(Session),
    /// A request for a page that is the same for everybody.
    Prerendered(Prerendered),
}

impl Scope {
    /// Runs `poll`, one step of answering the request, with this as what [`Session::current`] finds.
    pub fn enter<T>(&self, poll: impl FnOnce() -> T) -> T {
        Scope::lend(&mut Some(self.clone()), poll)
    }

    /// As [`enter`](Scope::enter), without a handle of its own: the scope is away for so long, and back afterwards.
    pub fn lend<T>(scope: &mut Option<Scope>, poll: impl FnOnce() -> T) -> T {
        let _lent = Lent::new(scope);
        poll()
    }
}

/// Has changed places with what was current before, and changes back, after a panic too.
struct Lent<'a>(&'a mut Option<Scope>);

impl Lent<'_> {
    fn new(scope: &mut Option<Scope>) -> Lent<'_> {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, scope));
        Lent(scope)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
    }
}

impl Session {
    /// The session of the request that is being answered, for components and helpers that it is not passed to.
    ///
    /// It is there wherever the handler's own code runs, below a layer that brings sessions; not in tasks that the
    /// handler spawns, which are given a clone instead.
    ///
    /// ```
    /// # use cloakroom_session::{Result, Session};
    /// async fn cart_button() -> Result<String> {
    ///     let cart: Vec<String> = Session::current()?.get_or_default("cart").await?;
    ///     Ok(format!("🛒 {} items", cart.len()))
    /// }
    /// # assert!(Session::current().is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoSession`] outside of a request, and on a prerendered page, which the message names.
    pub fn current() -> Result<Session> {
        CURRENT.with_borrow(|current| match current {
            Some(Scope::Session(session)) => Ok(session.clone()),
            Some(Scope::Prerendered(prerendered)) => Err(prerendered.error()),
            None => Err(Error::new(
                ErrorKind::NoSession,
                "there is no current session here: it exists while a request below the session layer is answered; \
                 give a task of its own a clone of the session",
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Commit;
    use crate::config::Config;
    use crate::cookie::CookieHeaders;
    use crate::scope::PrerenderedRoutes;
    use crate::sessions::Sessions;

    async fn session() -> Session {
        let sessions = Sessions::from_config(Config::new("memory")).await.unwrap();
        sessions.session(CookieHeaders::default())
    }

    #[tokio::test]
    async fn the_current_session_is_that_of_the_innermost_request() {
        let (outer, inner) = (session().await, session().await);
        outer.set("name", "outer").unwrap();
        inner.set("name", "inner").unwrap();
        let id = || Session::current().unwrap().id();
        Scope::Session(outer.clone()).enter(|| {
            Scope::Session(inner.clone()).enter(|| assert_eq!(id(), inner.id()));
            assert_eq!(id(), outer.id());
        });
        assert_eq!(Session::current().unwrap_err().kind(), ErrorKind::NoSession);
    }

    #[tokio::test]
    async fn a_scope_that_was_lent_is_back_afterwards_even_after_a_panic() {
        let session = session().await;
        let mut scope = Some(Scope::Session(session.clone()));
        Scope::lend(&mut scope, || assert!(Session::current().is_ok()));
        assert!(matches!(scope, Some(Scope::Session(_))));
        let poll = std::panic::AssertUnwindSafe(|| {
            Scope::lend(&mut scope, || panic!("as the test wants it"))
        });
        assert!(std::panic::catch_unwind(poll).is_err());
        assert!(matches!(scope, Some(Scope::Session(_))));
        assert!(Session::current().is_err());
        drop(scope);
        assert!(!session.is_shared());
    }

    #[tokio::test]
    async fn a_panic_leaves_no_session_behind() {
        let scope = Scope::Session(session().await);
        let poll = std::panic::AssertUnwindSafe(|| scope.enter(|| panic!("as the test wants it")));
        assert!(std::panic::catch_unwind(poll).is_err());
        assert!(Session::current().is_err());
    }

    #[test]
    fn a_prerendered_page_is_named() {
        let page = PrerenderedRoutes::new(["/about"]).find("/about").unwrap();
        let error = Scope::Prerendered(page).enter(|| Session::current().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::NoSession);
        assert!(error.to_string().contains("/about"), "{error}");
    }
}
