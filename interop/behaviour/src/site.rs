//! The site: handlers that know a session and no framework.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cloakroom_session::{Error, OutagePolicy, Result, Session, Sessions};
use futures_util::{Stream, stream};

use crate::gate::{Gate, Guard};

/// The routes that the session middleware takes for prerendered.
pub const PRERENDERED: [&str; 2] = ["/about", "/static/*"];

/// A site whose handlers are written once for all frameworks.
#[derive(Clone, Debug)]
pub struct Site {
    /// What the session middleware is made of.
    pub sessions: Sessions,
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
        Reply { status: 200, headers: Vec::new(), body: ReplyBody::Bytes(Bytes::from(text.into())) }
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

    /// The handler of all routes.
    ///
    /// # Errors
    /// Where the session fails.
    pub async fn answer(&self, session: &Session, path: &str) -> Result<Reply> {
        if let Some(name) = path.strip_prefix("/set/") {
            session.set("name", name)?;
            return Ok(Reply::text(""));
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
            // Ends one session and begins the next, whose write comes first and can be blocked.
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

async fn name(session: &Session) -> Result<String, Error> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

/// A component that is not given the session.
async fn greeting() -> Result<String, Error> {
    Ok(format!("hello {}", name(&Session::current()?).await?))
}
