//! For authors of framework adapters: from a request to its session, and from the session to the response.
//!
//! Users of an adapter need nothing of this, and nothing else in the crate stands on it. The crates `cloakroom-tower`,
//! `cloakroom-actix` and `cloakroom-salvo` are made of it; the last is the shortest.
//!
//! # Writing an adapter
//!
//! An adapter is a layer around handlers, and an extractor for them. For each request the layer
//!
//! 1. takes the [`Scopes`] that layers above have left with the request, and calls [`Sessions::enter`](crate::Sessions::enter)
//!    with them, the path and the cookies: that parses nothing and asks no store;
//! 2. keeps the new [`Scopes`] with the request, where the extractor and layers further in look for them, and runs the
//!    handler in its [`Scope`], so that [`Session::current`](crate::Session::current) finds it too;
//! 3. leaves the response alone where a layer above has the session already ([`joined`](Entered::joined));
//! 4. else awaits [`Scope::finish`] before the headers leave, and applies what is [`Finished`] to them; headers that are
//!    not `http`'s implement [`ResponseHeaders`];
//! 5. answers a commit that failed with a [`Failure`], in the [`FailureFormat`] of the response if it has one;
//! 6. lets the body of a response that streams go through [`Scope::late`], which commits what it still changes.
//!
//! It holds no handle to the session but its scope when it finishes: one that is left over is taken for the body's.
//!
//! ```
//! use cloakroom_session::adapter::{
//!     CookieHeaders, Entered, Failure, PrerenderedRoutes, Scope, Scopes,
//! };
//! use cloakroom_session::{Config, Error, Result, Session, Sessions};
//! use http::{Request, Response, header};
//!
//! /// The layer.
//! async fn answer(
//!     sessions: &Sessions,
//!     mut request: Request<()>,
//!     handler: impl AsyncFnOnce(Request<()>) -> Response<String>,
//! ) -> Response<String> {
//!     let above = request.extensions_mut().remove::<Scopes>().unwrap_or_default();
//!     let prerendered = PrerenderedRoutes::new(["/about"]);
//!     let cookies = || CookieHeaders::from(request.headers());
//!     let Entered { scope, scopes, joined } =
//!         sessions.enter(&above, request.uri().path(), &prerendered, None, cookies);
//!     request.extensions_mut().insert(scopes);
//!
//!     let mut response = scope.run(handler(request)).await;
//!     if joined {
//!         return response;
//!     }
//!     match scope.finish().await {
//!         Ok(finished) => {
//!             finished.apply(response.headers_mut());
//!             response
//!         }
//!         Err(error) => Failure::from(&error).into_response(|text| text.into_owned()),
//!     }
//! }
//!
//! /// The extractor.
//! fn session(request: &Request<()>) -> Result<Session> {
//!     match request.extensions().get::<Scopes>().and_then(Scopes::innermost) {
//!         Some(Scope::Session(session)) => Ok(session.clone()),
//!         Some(Scope::Prerendered(page)) => Err(page.error()),
//!         None => Err(Error::no_session(request.uri().path(), "below the layer")),
//!     }
//! }
//!
//! /// A handler.
//! async fn count(request: Request<()>) -> Response<String> {
//!     let visits = match session(&request) {
//!         Ok(session) => session.update("visits", |visits: &mut u32| *visits += 1).await,
//!         Err(error) => Err(error),
//!     };
//!     match visits {
//!         Ok(visits) => Response::new(visits.to_string()),
//!         Err(error) => Failure::from(&error).into_response(|text| text.into_owned()),
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::from_config(Config::new("memory")).await?;
//! let first = answer(&sessions, Request::new(()), count).await;
//! let cookie = first.headers()[header::SET_COOKIE].to_str()?;
//! let cookie = cookie.split(';').next().unwrap_or_default();
//!
//! let again = Request::builder().header(header::COOKIE, cookie).body(())?;
//! assert_eq!(answer(&sessions, again, count).await.body(), "2");
//!
//! let page = answer(&sessions, Request::get("/about").body(())?, count).await;
//! assert!(page.status().is_server_error(), "a prerendered page has no session");
//! # Ok(())
//! # }
//! ```
//!
//! # Routes for those who are signed in
//!
//! The extractor of a [`Principal`] asks [`Principal::of`] of the session, that of a [`ReturnTo`] reads the request's query, and
//! middleware before a route asks a [`Guard`]: once for a principal and once for a recent authentication. A framework that can
//! implement its traits for its own types alone wraps these.
//!
//! `interop/behaviour` in the repository has what must hold in every framework, as tests that an adapter runs.

#[cfg(feature = "axum")]
mod axum;
mod caching;
mod commit;
mod failure;
mod finished;
mod finishing;
mod guard;
mod headers;
mod late;
mod page;
mod principal;
mod return_to;

pub use crate::cookie::CookieHeaders;
pub use crate::scope::{Entered, Prerendered, PrerenderedRoutes, Scope, Scopes, SitePath};
#[cfg(feature = "axum")]
pub use axum::{PrincipalRejection, SessionRejection};
pub use commit::Commit;
pub use failure::{Failure, FailureFormat};
pub use finished::Finished;
pub use finishing::Finishing;
pub use guard::{Guard, GuardedRequest, Refusal};
pub use headers::ResponseHeaders;
pub use late::{LateCommit, NextPiece};
pub use principal::Principal;
pub use return_to::ReturnTo;
