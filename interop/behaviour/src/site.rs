//! The site: handlers that know a session and no framework.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cloakroom_session::{Error, OutagePolicy, Result, Session, Sessions};
use futures_util::{Stream, stream};

use crate::gate::{Gate, Guard};

/// The routes that the session middleware takes for prerendered.
pub const PRERENDERED: [&str; 2] = ["/about", "/static/*"];

/// The routes that the second session middleware, below the first, takes for prerendered.
pub const PRERENDERED_TWICE: [&str; 1] = ["/twice/static/*"];

/// What the second session middleware, below the first, declares for outages.
pub const OUTAGE_TWICE: OutagePolicy = OutagePolicy::Anonymous;

/// The page that visitors are sent to who have to sign in, below the guard that sends them.
pub const SIGN_IN: &str = "/pages/sign-in?lang=pt";

/// The page that visitors are sent to who have to confirm that it is they.
pub const CONFIRM: &str = "/recent/confirm";

/// How long ago a visitor may have been authenticated where that has to be recent: longer than a test takes.
pub const RECENT: Duration = Duration::from_secs(3600);

/// A site whose handlers are written once for all frameworks.
#[derive(Clone, Debug)]
pub struct Site {
    /// What the session middleware is made of.
    pub sessions: Sessions,
    /// What another session middleware below it is made of: its cookie has another name.
    pub others: Sessions,
    /// What another session middleware below it is made of, by mistake: its cookie has the same name.
    pub namesake: Sessions,
    /// What the session middleware declares for outages, if anything.
    pub outage: Option<OutagePolicy>,
    pub(crate) gate: Gate,
}

/// What a handler answers with.
pub struct Reply {
    /// The response's status.
    pub status: u16,
    /// The response's headers.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Cookies to be set, which are added as handlers of the framework add theirs.
    pub cookies: Vec<(&'static str, &'static str)>,
    /// The response's body.
    pub body: ReplyBody,
}

/// The body of a [`Reply`].
pub enum ReplyBody {
    /// All of it at once.
    Bytes(Bytes),
    /// Piece by piece.
    Stream(ReplyStream),
}

/// A body that is made while it is sent.
pub struct ReplyStream {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    _guard: Guard,
}

impl Stream for ReplyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl Reply {
    fn text(text: impl Into<String>) -> Reply {
        Reply {
            status: 200,
            headers: Vec::new(),
            cookies: Vec::new(),
            body: ReplyBody::Bytes(Bytes::from(text.into())),
        }
    }

    fn status(status: u16) -> Reply {
        Reply { status, ..Reply::text("") }
    }
}

/// What a handler says that takes the session if there is one.
pub fn optional(session: Option<&Session>) -> Reply {
    Reply::text(if session.is_some() { "a session" } else { "none" })
}

/// What a handler says that is not given a session and looks for one.
pub fn current() -> Reply {
    Reply::text(match Session::current() {
        Ok(_) => "a session".to_owned(),
        Err(error) => error.to_string(),
    })
}

/// What a handler says that takes the principal.
pub fn whose(principal: Option<&str>) -> Reply {
    Reply::text(principal.unwrap_or("nobody"))
}

/// What a handler says that takes where to return to.
pub fn returning(return_to: &str) -> Reply {
    Reply::text(return_to)
}

impl Site {
    /// What the framework's middleware does before the handler.
    ///
    /// # Errors
    /// Where the session fails.
    pub async fn before(session: &Session) -> Result<()> {
        let visits: u32 = session.get("visits").await?.unwrap_or_default();
        session.set("visits", &(visits + 1))
    }

    /// What the framework's middleware does after the handler.
    ///
    /// # Errors
    /// Where the session fails.
    pub async fn after(session: &Session) -> Result<()> {
        let visits: u32 = session.get("visits").await?.unwrap_or_default();
        session.set("answered", &visits)
    }

    /// What the framework's middleware between two session middlewares does: `before` the handler for a path that has
    /// `before` in it, and `after` the handler alike. It sets without having read.
    ///
    /// # Errors
    /// Where the session fails.
    pub fn between(session: &Session, path: &str, when: &'static str) -> Result<()> {
        match path.split('/').any(|part| part == when) {
            true => session.set(when, &true),
            false => Ok(()),
        }
    }

    /// The handler of all routes.
    ///
    /// # Errors
    /// Where the session fails.
    pub async fn answer(&self, session: &Session, path: &str) -> Result<Reply> {
        let path = below_layers(path);
        if let Some(name) = path.strip_prefix("/set/") {
            session.set("name", name)?;
            return Ok(Reply::text(""));
        }
        if let Some(name) = path.strip_prefix("/sign-in/") {
            session.sign_in(name).await?;
            return Ok(whose(session.principal().await?.as_deref()));
        }
        Ok(match path {
            "/read" | "/unavailable" | "/read-only" | "/anonymous" => {
                Reply::text(name(session).await?)
            }
            "/has" => Reply::text(session.has("name").await?.to_string()),
            "/keys" | "/visited" => Reply::text(session.keys().await?.join(",")),
            "/entries" => Reply::text(session.entries().await?.len().to_string()),
            "/public" => Reply {
                headers: vec![("cache-control", "public, max-age=60")],
                ..Reply::text(name(session).await?)
            },
            "/cached" => {
                session.set("name", "Ann")?;
                let headers = vec![("cache-control", "private"), ("vary", "Accept, cookie")];
                Reply { headers, ..Reply::text("") }
            }
            // Said by whoever does not know that the page below touches the session.
            "/shared/untouched" | "/shared/set" | "/shared/login" | "/shared/logout" => {
                match path.trim_start_matches("/shared/") {
                    "set" => session.set("name", "Ann")?,
                    "login" => session.regenerate().await?,
                    "logout" => session.destroy(),
                    _ => {}
                }
                let headers = vec![
                    ("cache-control", "public, max-age=60, s-maxage=600"),
                    ("cdn-cache-control", "max-age=600"),
                ];
                Reply { headers, ..Reply::text("") }
            }
            "/cookies/changed" => {
                session.set("name", "Ann")?;
                cookies()
            }
            "/cookies/unchanged" => cookies(),
            "/welcome" => {
                session.set("name", "Ann")?;
                let headers = vec![("x-welcome", "Ann"), ("set-cookie", "by-header=secret")];
                let cookies = vec![("remember-me", "secret")];
                Reply { status: 201, headers, cookies, ..Reply::text("welcome") }
            }
            "/teapot" => {
                session.set("name", "Ann")?;
                Reply::status(418)
            }
            "/wrong" => {
                session.set("name", "Ann")?;
                session.load("no session ID").await?;
                Reply::text("")
            }
            "/visit" => {
                session.set("visited", &true)?;
                Reply::text("")
            }
            "/huge" => {
                session.set("huge", &"x".repeat(5 << 20))?;
                Reply::text("")
            }
            "/everything" => {
                session.set("name", "Ann")?;
                session.regenerate().await?;
                session.save().await?;
                session.destroy();
                session.set("name", "Bob")?;
                session.regenerate().await?;
                Reply::text("")
            }
            // Counts visits, and tells nobody where that fails.
            "/careless" => {
                let _ = session.update("visits", |visits: &mut u32| *visits += 1).await;
                let _ = session.set("seen", &true);
                Reply::text("fine")
            }
            "/login" => {
                session.regenerate().await?;
                session.set("user", "Ada")?;
                Reply::text("")
            }
            "/login-fails" => {
                session.regenerate().await?;
                Reply::status(500)
            }
            "/logout" => {
                session.destroy();
                Reply::text("")
            }
            "/sign-out" => {
                session.sign_out();
                Reply::text("")
            }
            "/current" => Reply::text(greeting().await?),
            "/current-together" => {
                self.gate.meet().await;
                let before = greeting().await?;
                self.gate.meet().await;
                tokio::task::yield_now().await;
                Reply::text(format!("{before} and {}", greeting().await?))
            }
            "/current-in-a-task" => {
                let task = tokio::spawn(async { Session::current().is_err() }).await;
                Reply::text(if task.is_ok_and(|none| none) { "none" } else { "a session" })
            }
            "/wait" => {
                session.set("name", "Ann")?;
                let _guard = self.gate.arrive();
                std::future::pending().await
            }
            "/slow/set" => {
                session.set("name", "Bob")?;
                self.stream(stream::empty())
            }
            // Ends one session and begins the next, whose write comes first and can be held.
            "/slow/logout" => {
                session.destroy();
                session.set("flash", "bye")?;
                self.stream(stream::empty())
            }
            "/stream/sets" => {
                let session = session.clone();
                let before = name(&session).await?;
                self.one(async move { session.set("name", "late").map(|()| before) })
            }
            "/stream/creates" => {
                let session = session.clone();
                self.one(async move {
                    let outcome = session.set("name", "late").map_err(|error| error.kind());
                    Ok(format!("{outcome:?}"))
                })
            }
            "/stream/reads" => {
                let session = session.clone();
                self.one(async move { name(&session).await })
            }
            // For longer than a session may be idle.
            "/stream/long" => {
                let session = session.clone();
                self.stream(stream::unfold(0, move |piece| {
                    let session = session.clone();
                    async move {
                        if piece == 12 {
                            return None;
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        let seen = async {
                            let name = name(&session).await?;
                            session.set("piece", &piece)?;
                            Ok(name)
                        };
                        let seen = seen.await.map(|name| Bytes::from(format!("{name} ")));
                        Some((seen, piece + 1))
                    }
                }))
            }
            "/stream/current" => {
                let session = session.clone();
                self.one(async move {
                    let greeting = greeting().await;
                    drop(session);
                    greeting
                })
            }
            "/stream/alone" => self.one(async { Ok("alone".to_owned()) }),
            _ => Reply::text("untouched"),
        })
    }

    fn stream(&self, pieces: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Reply {
        let pieces = Box::pin(pieces);
        let body = ReplyBody::Stream(ReplyStream { pieces, _guard: self.gate.arrive() });
        Reply { body, ..Reply::text("") }
    }

    fn one(&self, piece: impl Future<Output = Result<String>> + Send + 'static) -> Reply {
        self.stream(stream::once(async move { piece.await.map(Bytes::from) }))
    }
}

/// The path without what says which middleware stands above.
fn below_layers(mut path: &str) -> &str {
    const LAYERS: [&str; 5] = ["/twice", "/others", "/namesake", "/before", "/after"];
    let below = |path| LAYERS.iter().find_map(|layer| str::strip_prefix(path, layer));
    while let Some(rest) = below(path) {
        path = rest;
    }
    path
}

/// Cookies by all the means that a handler has, one of the session's name by each of them.
fn cookies() -> Reply {
    let headers = vec![
        ("set-cookie", "b=1"),
        ("set-cookie", "astro-session=theirs; Path=/shop"),
        ("set-cookie", "lang=français"),
    ];
    let cookies = vec![("astro-session", "theirs"), ("theme", "dark")];
    Reply { headers, cookies, ..Reply::text("") }
}

async fn name(session: &Session) -> Result<String, Error> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

/// A component that is not given the session.
async fn greeting() -> Result<String, Error> {
    Ok(format!("hello {}", name(&Session::current()?).await?))
}
