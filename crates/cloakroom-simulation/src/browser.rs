//! A browser: the cookie that it was sent last, and what it sends.

use std::time::Duration;

use http::HeaderValue;

use crate::history::Cookies;
use crate::trace::{Id, Sent, What};
use crate::world::{self, World};

/// The name of the cookie.
const NAME: &str = "astro-session";

/// What a browser knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    /// The cookie that it was sent last.
    pub(crate) last: Option<Id>,
    /// When it forgets that.
    pub(crate) forgets: Option<Duration>,
    /// The one before.
    pub(crate) earlier: Option<Id>,
}

impl Browser {
    /// The IDs that a request of this kind carries, in the order in which they stand in its header.
    pub(crate) fn carries(&self, cookies: Cookies, now: Duration) -> Vec<Id> {
        let last = self.last.filter(|_| self.forgets.is_none_or(|forgets| now < forgets));
        match cookies {
            Cookies::Last => last.into_iter().collect(),
            Cookies::None => Vec::new(),
            Cookies::EarlierAndLast => [self.earlier, last].into_iter().flatten().collect(),
        }
    }

    fn receive(&mut self, sent: Sent, forgets: Option<Duration>) {
        self.forgets = forgets;
        let last = match sent {
            Sent::Id(id) => Some(id),
            Sent::Deletion => None,
        };
        if self.last != last {
            self.earlier = self.last.or(self.earlier);
        }
        self.last = last;
    }
}

/// The headers of a request that carries these IDs.
pub(crate) fn headers(ids: &[Id]) -> Vec<HeaderValue> {
    let texts: Vec<String> =
        world::with(|world| ids.iter().map(|id| format!("{NAME}={}", world.ids[id.0])).collect());
    match texts.is_empty() {
        true => Vec::new(),
        false => HeaderValue::from_str(&texts.join("; ")).into_iter().collect(),
    }
}

/// What a `Set-Cookie` header says, and for how many seconds it holds.
pub(crate) type SetCookie = (Sent, Option<u64>);

/// Reads a `Set-Cookie` header.
pub(crate) fn read(world: &mut World, header: &str) -> SetCookie {
    let value = header.split(';').next().and_then(|pair| pair.split_once('='));
    let max_age = header.split("; Max-Age=").nth(1).and_then(|rest| rest.split(';').next());
    match value {
        Some((_, value)) if value.len() == 36 => {
            let id = world.id(value);
            if !world.told.contains(&id) {
                world.told.push(id);
            }
            (Sent::Id(id), max_age.and_then(|seconds| seconds.parse().ok()))
        }
        _ => (Sent::Deletion, None),
    }
}

/// An answer comes to a browser.
pub(crate) fn deliver(browser: usize, set_cookie: Option<SetCookie>) {
    world::with(|world| {
        world.note(What::Delivered(set_cookie.map(|(sent, _)| sent)));
        if let Some((sent, max_age)) = set_cookie {
            let forgets = max_age.map(|seconds| world.now + Duration::from_secs(seconds));
            world.browsers[browser].receive(sent, forgets);
        }
    });
}
