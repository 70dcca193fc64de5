//! What the response tells the browser about its cookie.

use std::time::Duration;

use crate::cookie::Ticket;
use crate::error::Result;
use crate::id::SessionId;
use crate::record::Stored;

use super::known::Known;
use super::{Machine, Rules};

/// What the response tells the browser about its cookie, where it tells anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookie {
    HandOut(HandOut),
    /// There is no session any more.
    Delete,
}

/// A cookie that names a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandOut {
    pub(crate) id: SessionId,
    /// How long the cookie lives, where the session is remembered.
    pub(crate) remember: Option<Duration>,
    /// How long the session lives at most.
    pub(crate) longest: Option<Duration>,
}

impl Machine {
    /// Whether a cookie is to be sent that names a session which others know of too. It is looked at once more, since
    /// one of them may have ended it.
    pub(super) fn needs_confirmation(&self, rules: &Rules) -> bool {
        match &self.known {
            // An ID that this request has made is known to nobody else.
            Known::Stored(_) if self.is_unnamed() => false,
            Known::Stored(stored) if self.presented_id() == Some(stored.id) => {
                self.renew && self.renews(rules, stored)
            }
            Known::Stored(_) => true,
            _ => false,
        }
    }

    /// Whether the cookie that the browser has ends before the session, or after it.
    fn renews(&self, rules: &Rules, stored: &Stored) -> bool {
        // What cannot be read is not known to be remembered.
        rules.renews_cookie
            || self.reissue
            || rules.is_remembered(&stored.record).unwrap_or_default()
    }

    /// The cookie for what is known when the headers leave. What was not heard of in this run is not handed out.
    ///
    /// The browser has the ID that it presented. It is told again only where its cookie would end before the session:
    /// answers arrive in any order, and one that repeats an old ID would replace the new one of a login.
    ///
    /// DIFFERENCE: Astro sends its cookie whenever a request sets something.
    pub(crate) fn cookie(&self, rules: &Rules) -> Result<Option<SetCookie>> {
        match &self.known {
            Known::Stored(stored) => {
                let is_presented = self.presented_id() == Some(stored.id);
                let is_wanted = match is_presented {
                    true => self.renew && self.run.heard && self.renews(rules, stored),
                    false => self.is_unnamed() || self.run.heard,
                };
                if !is_wanted {
                    return Ok(None);
                }
                let longest = match rules.lifetime.absolute {
                    Some(_) => rules.lifetime.left(stored.record.created()?, rules.now()),
                    None => None,
                };
                let is_remembered = rules.is_remembered(&stored.record)?;
                let remember = rules.lifetime.remember.filter(|_| is_remembered);
                Ok(Some(SetCookie::HandOut(HandOut { id: stored.id, remember, longest })))
            }
            // A browser that presented no cookie has none to forget. A session that was begun after `destroy`, and got
            // nothing in the end, leaves the cookie to be forgotten as well.
            Known::Absent | Known::Expired | Known::Unasked => {
                let has_cookie = !matches!(self.presented, Some(Ticket::Missing) | None);
                Ok((self.destroyed && has_cookie).then_some(SetCookie::Delete))
            }
            // Whoever retired the session told the browser, and if that was a login that gave it a new ID, anything that
            // arrives later would throw the new cookie away.
            Known::Ended(_) | Known::New(_) => Ok(None),
        }
    }
}
