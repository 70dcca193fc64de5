//! The actions of a site, by their names.

use std::collections::HashMap;

use cloakroom_session::adapter::SitePath;
use cloakroom_session::{OldInput, Session};

use crate::call::{self, Call};
use crate::code::ErrorCode;
use crate::error::{ActionError, Result};
use crate::input::{Accept, BODY_LIMIT, FormData, RawInput};
use crate::origin::OriginCheck;
use crate::outcome::Outcome;
use crate::submitted;

/// The actions of a site by their names, and what holds for all of them. For authors of framework adapters: `H` is
/// what the framework calls.
#[derive(Clone, Debug)]
pub struct Registry<H> {
    actions: HashMap<String, Action<H>>,
    /// Which fields come back, of the forms of which it was said.
    kept: HashMap<String, Kept>,
    /// The path below which the site lies, as in Astro's `base`.
    pub base: SitePath,
    /// How large a body may be, in bytes.
    pub body_limit: usize,
    /// Which requests may call an action.
    pub origin: OriginCheck,
}

/// One action.
#[derive(Clone, Debug)]
pub struct Action<H> {
    /// What input it takes.
    pub accept: Accept,
    /// What runs it.
    pub handler: H,
}

/// Which fields of a form may be kept for the page that asks to correct it.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// No others than these.
    only: Option<Vec<String>>,
    /// Not these.
    never: Vec<String>,
}

/// Where an action's form came from: what decides where its browser goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent<'a> {
    /// The request's path.
    pub path: &'a str,
    /// What follows the path.
    pub query: Option<&'a str>,
    /// The header `Host`.
    pub host: Option<&'a str>,
    /// The header `Referer`.
    pub referer: Option<&'a str>,
}

impl<H> Default for Registry<H> {
    fn default() -> Registry<H> {
        Registry {
            actions: HashMap::new(),
            kept: HashMap::new(),
            base: SitePath::default(),
            body_limit: BODY_LIMIT,
            origin: OriginCheck::new(),
        }
    }
}

impl<H> Registry<H> {
    /// Adds an action, in place of an earlier one of the same name.
    pub fn insert(&mut self, name: &str, accept: Accept, handler: H) {
        self.actions.insert(name.to_owned(), Action { accept, handler });
    }

    /// Adds the actions of another one to a group.
    pub fn insert_group(&mut self, group: &str, other: Registry<H>) {
        let actions = other.actions.into_iter();
        self.actions.extend(actions.map(|(name, action)| (format!("{group}.{name}"), action)));
        let kept = other.kept.into_iter();
        self.kept.extend(kept.map(|(name, kept)| (format!("{group}.{name}"), kept)));
    }

    /// Of a form of this action that failed, keeps these fields alone.
    pub fn keep_only(&mut self, action: &str, fields: impl IntoIterator<Item = impl Into<String>>) {
        let only = &mut self.kept.entry(action.to_owned()).or_default().only;
        only.get_or_insert_default().extend(fields.into_iter().map(Into::into));
    }

    /// Of a form of this action that failed, keeps these fields never.
    pub fn keep_never(
        &mut self,
        action: &str,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) {
        let never = &mut self.kept.entry(action.to_owned()).or_default().never;
        never.extend(fields.into_iter().map(Into::into));
    }

    /// The call that a request is, if it is one.
    pub fn call(&self, method: &str, path: &str, query: Option<&str>) -> Option<Call> {
        Call::find(method, &self.base, path, query)
    }

    /// The action that is called.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], as Astro says it.
    pub fn find(&self, call: &Call) -> Result<&Action<H>> {
        self.actions.get(&call.name).ok_or_else(|| ActionError::new(ErrorCode::NotFound, ""))
    }

    /// Leaves the outcome of a form for the next page, and tells which one that is.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub async fn keep(
        &self,
        session: &Session,
        call: &Call,
        outcome: Outcome,
        input: &RawInput,
        sent: Sent<'_>,
    ) -> Result<String> {
        let is_own = |host: &str| self.origin.is_own(host, sent.host);
        let back = sent.referer.filter(|_| outcome.is_error());
        let back = back.and_then(|referer| call::back(referer, is_own));
        let typed = input.form().map(|form| self.old_input(&call.name, form)).unwrap_or_default();
        submitted::keep(session, &call.name, outcome, typed).await?;
        Ok(back.unwrap_or_else(|| call::destination(sent.path, sent.query)))
    }

    /// What of a form may come back.
    fn old_input(&self, action: &str, form: &FormData) -> OldInput {
        let fields = form.iter().filter_map(|(name, value)| Some((name, value.as_text()?)));
        let Some(Kept { only, never }) = self.kept.get(action) else {
            return OldInput::new(fields);
        };
        let kept = match only {
            Some(names) => OldInput::only(fields, names),
            None => OldInput::new(fields),
        };
        never.iter().fold(kept, |kept, name| kept.without(name))
    }
}

/// The content type of [`refusal`], as Astro writes it.
pub const REFUSAL_TYPE: &str = "text/plain;charset=UTF-8";

/// What a form of another site gets besides its 403, in Astro's words.
pub fn refusal(method: &str) -> String {
    format!("Cross-site {method} form submissions are forbidden")
}
