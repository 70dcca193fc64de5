//! Server-side sessions for Rust that share their store and their cookie with Astro.
//!
//! The browser holds a ticket, a cookie with a random ID; the server keeps the coat, the data. This is the system of Astro's
//! *Sessions* documentation, to the byte: an Astro front end and a Rust back end can hold the same session.
//!
//! # A first program
//!
//! ```no_run
//! use axum::{Json, Router, routing::{get, post}};
//! use cloakroom::{Config, Key, Result, Session, SessionLayer, Sessions};
//!
//! const CART: Key<Vec<String>> = Key::new("cart");
//!
//! async fn cart_button(session: Session) -> Result<String> {
//!     let cart = session.get_or_default(CART).await?;
//!     Ok(format!("🛒 {} items", cart.len()))
//! }
//!
//! async fn add_to_cart(session: Session, Json(item): Json<String>) -> Result<Json<Vec<String>>> {
//!     Ok(Json(session.update(CART, |cart| cart.push(item.clone())).await?))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Sessions::from_config(Config::load()?).await?;
//!     let app = Router::new()
//!         .route("/", get(cart_button))
//!         .route("/api/addToCart", post(add_to_cart))
//!         .layer(SessionLayer::new(sessions));
//!     axum::serve(tokio::net::TcpListener::bind("127.0.0.1:4321").await?, app).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Reading and writing
//!
//! Reads are async, because the first one of a request loads the record. Writes are not: `set` is seen at once
//! and saved once, after the handler returned and before the headers leave.
//!
//! ```
//! # use cloakroom::{Config, CookieHeaders, SetOptions, Sessions};
//! # use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom::Result<()> {
//! # let sessions = Sessions::from_config(Config::new("memory")).await?;
//! # let session = sessions.session(CookieHeaders::default());
//! session.set("theme", "dark")?;
//! assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
//!
//! // An entry with a lifetime of its own.
//! session.set_with("code", &1234, SetOptions::new().ttl(Duration::from_secs(300)))?;
//!
//! assert_eq!(session.keys().await?, ["theme", "code"]);
//! session.delete("code");
//! assert!(!session.has("code").await?);
//! # Ok(())
//! # }
//! ```
//!
//! | Astro | here |
//! |---|---|
//! | `await session.get('cart')` | `session.get::<Vec<String>>("cart").await?` or `session.get(CART).await?` |
//! | `session.set('cart', cart, { ttl: 60 })` | `session.set_with(CART, &cart, SetOptions::new().ttl(…))?` |
//! | `await session.has(…)`, `keys()`, `values()`, `entries()` | the same |
//! | `session.delete('cart')` | `session.delete("cart")` |
//! | `await session.regenerate()` | `session.regenerate().await?` |
//! | `session.destroy()` | `session.destroy()` |
//! | `await session.load(id)` | `session.load(id).await?` |
//! | `session.sessionID` | `session.id()` |
//! | `await session.get('cart') ?? []` | `session.get_or_default(CART).await?` |
//! | – | `session.update(CART, …)`, `session.take(CART)`, `session.save()` |
//!
//! # Losing nothing
//!
//! What a request changed is saved per key, on top of what other requests have saved since: two that change
//! different keys both win. To change a value that depends on the old one, use [`Session::update`]: it
//! compares, swaps and tries again, so that two hundred parallel additions to a cart leave two hundred items.
//!
//! ```
//! # use cloakroom::{Config, CookieHeaders, Key, Sessions};
//! # const CART: Key<Vec<String>> = Key::new("cart");
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom::Result<()> {
//! # let sessions = Sessions::from_config(Config::new("memory")).await?;
//! # let session = sessions.session(CookieHeaders::default());
//! let cart = session.update(CART, |cart| cart.push("scarf".to_owned())).await?;
//! assert_eq!(cart, ["scarf"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Signing in and out
//!
//! [`Session::sign_in`] says whose the session is, once a password or a passkey has shown it: the data moves to a new ID, and
//! the old one is dead once the request is finished. [`Session::sign_out`] ends a session; a write that was under way when it
//! happened does not bring it back. A handler that takes a [`Principal`] is reached by those alone who are signed in; a layer
//! sends the others to sign in, and [`ReturnTo`] brings them back to what they asked for, and to no other site.
//!
//! ```
//! # use axum::{Router, response::Redirect, routing::get};
//! use cloakroom::{Principal, RequirePrincipal, Result, ReturnTo, Session};
//! # use cloakroom::{SessionLayer, Sessions};
//!
//! async fn orders(principal: Principal) -> String {
//!     format!("The orders of {principal}")
//! }
//!
//! async fn sign_in(session: Session, return_to: ReturnTo) -> Result<Redirect> {
//!     session.sign_in("ann").await?; // after the password was right
//!     Ok(Redirect::to(&return_to))
//! }
//!
//! # async fn form() {}
//! # fn example(sessions: Sessions) -> Router {
//! Router::new()
//!     .route("/orders", get(orders))
//!     .layer(RequirePrincipal::or_sign_in_at("/sign-in"))
//!     .route("/sign-in", get(form).post(sign_in))
//!     .layer(SessionLayer::new(sessions))
//! # }
//! ```
//!
//! What somebody is signed in to, on all devices, is listed and ended by [`Sessions::of`]. [`RequireRecent`] lets those pass who
//! were asked for their password a short time ago. Where somebody gains other privileges it is [`Session::regenerate`].
//!
//! Requests that were on their way still carry the old ID. For a minute the store remembers that it was retired
//! (JavaScript sees nothing there), so that such a request is not taken for a new visitor's:
//!
//! | such a request | |
//! |---|---|
//! | reads | nothing |
//! | sets or deletes | as long as it runs; none of it is saved, which is an event and a counter |
//! | calls `update`, `save` or `regenerate` | [`ErrorKind::Destroyed`], which is a 409 |
//! | calls `destroy` after it had read the session | the same at its end, where a login has overtaken the logout |
//! | is answered | without any cookie, so that the login's stays |
//!
//! A login that loses against another one, or against a logout, is a 409 too. Where a record is simply not there any more
//! because its time has passed, nobody ended it: what the request set begins a new session, with nothing of the old one.
//! A socket or another task that holds on to a session finds out by [`Session::reload`], and keeps it from being idle by
//! [`Session::save`].
//!
//! What must be decided once, such as a one-time code, is decided by [`Session::try_update`]:
//!
//! ```
//! # use cloakroom::{Error, Key, Result, Session};
//! const CODE: Key<(u32, u32)> = Key::new("code");
//!
//! /// Whether the code is right. It is used up then, and after three attempts.
//! async fn check(session: &Session, given: u32) -> Result<bool> {
//!     session
//!         .try_update(CODE, |code| {
//!             let Some((digits, attempts)) = code else { return Ok::<_, Error>(false) };
//!             *attempts += 1;
//!             let is_right = *digits == given;
//!             if is_right || *attempts == 3 {
//!                 *code = None;
//!             }
//!             Ok(is_right)
//!         })
//!         .await
//! }
//! ```
//!
//! # Components
//!
//! A component is an async function from the session to markup, in whatever template engine: `examples/components-maud`
//! and `examples/components-askama` show two. It takes `&Session`, or asks for [`Session::current`] where it stands too
//! deep in the tree to be handed one. All components of a page share one load.
//!
//! ```
//! # use cloakroom::{Key, Result, Session};
//! # const CART: Key<Vec<String>> = Key::new("cart");
//! async fn cart_button(session: &Session) -> Result<String> {
//!     Ok(format!("🛒 {} items", session.get_or_default(CART).await?.len()))
//! }
//!
//! async fn header() -> Result<String> {
//!     let session = Session::current()?;
//!     Ok(format!("<header>{}</header>", cart_button(&session).await?))
//! }
//! ```
//!
//! # Middleware
//!
//! Middleware that was added before the [`SessionLayer`] runs inside of it, and has the handler's session, before the
//! handler and after it. In axum's it is an extractor, as in a handler; a plain tower service finds it in the request's
//! extensions, as `examples/middleware` shows.
//!
//! ```
//! # use axum::{Router, extract::Request, middleware::{self, Next}, response::Response, routing::post};
//! # use cloakroom::{Config, Key, Result, Session, SessionLayer, Sessions};
//! # const ORDERS: Key<u32> = Key::new("orders");
//! async fn count_orders(session: Session, request: Request, next: Next) -> Result<Response> {
//!     let response = next.run(request).await;
//!     if response.status().is_success() {
//!         session.update(ORDERS, |orders| *orders += 1).await?;
//!     }
//!     Ok(response)
//! }
//! # async fn order() {}
//! # fn example(sessions: Sessions) -> Router {
//! Router::new()
//!     .route("/order", post(order).layer(middleware::from_fn(count_orders)))
//!     .layer(SessionLayer::new(sessions))
//! # }
//! ```
//!
//! # Flash messages and old input
//!
//! A [`Flash`] is left by one request and shown once, by the next page that reads it. [`OldInput`] is what somebody
//! typed into a form that cannot be accepted, without passwords and other secrets, for the form that asks again.
//!
//! ```
//! # use axum::response::Redirect;
//! # use cloakroom::{Flash, OldInput, Result, Session};
//! const NOTICE: Flash<String> = Flash::new("notice");
//! const OLD_INPUT: Flash<OldInput> = Flash::new("oldInput");
//!
//! async fn sign_up(session: Session, fields: Vec<(String, String)>) -> Result<Redirect> {
//!     session.flash(NOTICE, "Please give a whole address.")?;
//!     session.flash(OLD_INPUT, &OldInput::new(fields))?;
//!     Ok(Redirect::to("/sign-up"))
//! }
//!
//! async fn form(session: Session) -> Result<String> {
//!     let notice = session.flashed(NOTICE).await?.unwrap_or_default();
//!     let old = session.flashed(OLD_INPUT).await?.unwrap_or_default();
//!     Ok(format!("{notice} E-mail: {}", old.value("email")))
//! }
//! ```
//!
//! # Values
//!
//! Anything that serde can serialise can be stored. Dates, maps, sets, URLs and big integers keep their
//! JavaScript types when their fields say so; [`devalue`] has the table.
//!
//! # Typed data
//!
//! With the feature `derive`, a struct declares what Astro declares in `App.SessionData`: every field brings the key of
//! its entry, and [`SessionData::load`] reads them all. Writing goes through the keys, so that no request undoes what
//! another one changed.
//!
//! ```
//! # #[cfg(feature = "derive")]
//! # mod example {
//! # use cloakroom::{Result, Session, SessionData};
//! #[derive(SessionData)]
//! #[session(rename_all = "camelCase")]
//! struct Shopper {
//!     cart: Vec<String>,
//!     last_city: Option<String>,
//! }
//!
//! # async fn example(session: &Session) -> Result<()> {
//! session.update(Shopper::CART, |cart| cart.push("scarf".to_owned())).await?;
//! session.set(Shopper::LAST_CITY, "Porto")?;      // `lastCity`, in JavaScript
//! let Shopper { cart, last_city } = Shopper::load(session).await?;
//! # _ = (cart, last_city);
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! # Configuration
//!
//! [`Config`] has the shape of Astro's `session: { driver, options, cookie, ttl }`, from Rust, TOML, JSON or
//! the environment. Drivers go by their unstorage names, each behind the feature of that name. An [`Adapter`] stands for
//! a platform's default driver; `Config::load` knows the platform by its environment.
//!
//! What the environment says goes over the file, setting by setting, and is taken literally: a password of digits is a
//! password of digits. Where it names another driver, the file's options, which are for that one, do not count. At start one
//! line of the log says which store sessions are in, where, and from which file or variable each setting came; a warning
//! says where the store does not answer. A program that will not start without it awaits [`Sessions::check`].
//!
//! With the feature `astro-config` the configuration is the Astro site's own file, which is read and never run:
//!
//! ```no_run
//! # #[cfg(feature = "astro-config")]
//! # fn example() -> cloakroom::Result<()> {
//! use cloakroom::Config;
//!
//! let config = Config::from_astro("../site/astro.config.mjs")?;
//! # Ok(())
//! # }
//! ```
//!
//! # More than one machine
//!
//! The features `upstash` and `vercel-kv` reach Redis over HTTP, `netlify-blobs` the blobs of a site on Netlify, and
//! `cloudflare-kv-http` Cloudflare's key-value store, which is for sessions that are seldom written.
//!
//! The features `redis`, `sql` and `db0` (with `postgres`, `mysql` and `sqlite`) bring the drivers of those names, each
//! with one connection or one pool of its own. A program that has them already shares them, through the features that
//! are named after the client's version, `redis-1` and `sqlx-0-9`:
//!
//! ```
//! # #[cfg(feature = "redis-1")]
//! # async fn example(connection: redis::aio::MultiplexedConnection) -> cloakroom::Result<()> {
//! use std::sync::Arc;
//! use std::time::Duration;
//! use cloakroom::{drivers::redis::Redis, storage::DriverExt};
//! use cloakroom::{Config, Sessions};
//!
//! let redis = Redis::with_connection(connection).with_base("sess");
//! let driver = redis.with_retries(2).with_timeout(Duration::from_secs(5));
//! let sessions = Sessions::with_driver(Arc::new(driver), &Config::default())?;
//! # Ok(())
//! # }
//! ```
//!
//! # In a Cloudflare Worker
//!
//! This crate without its default features, with `axum`, `cloudflare-kv-binding` or `cloudflare-r2-binding`, builds for
//! `wasm32-unknown-unknown`. `Config::for_adapter(Adapter::Cloudflare)` is KV on the binding `SESSION`, where an Astro site
//! on Cloudflare has its sessions; a driver of a binding of one's own is `CloudflareKvBinding::from_env(&env, "NAME")`. KV
//! is eventually consistent and may lose an update; R2 is neither, but has to be swept when a cron trigger fires.
//!
//! # Frameworks
//!
//! The module of a framework has what its users expect there: the extractors `Session`, `Principal` and `ReturnTo`, an error
//! that is a response, and a `Result` for handlers; those of actix-web and salvo also middleware by the names in this table,
//! `RequirePrincipal` and `RequireRecent`. The same tests hold all of them to the same behaviour. Who writes an adapter to
//! another framework starts at [`adapter`].
//!
//! | feature | module | above the routes | on a route, for outages |
//! |---|---|---|---|
//! | `axum` (the default) | `cloakroom::axum` | `.layer(SessionLayer::new(sessions))` | `.layer(OutageLayer::new(…))` |
//! | none: any tower service | – | the same; handlers take [`Session`] from the request's extensions | the same |
//! | `actix-web` | `cloakroom::actix_web` | `.wrap(SessionMiddleware::new(sessions))` | `.wrap(OutageMiddleware::new(…))` |
//! | `salvo` | `cloakroom::salvo` | `.hoop(SessionMiddleware::new(sessions))` | `.hoop(OutageMiddleware::new(…))` |
//!
//! # Actions
//!
//! With the feature `actions`, functions of the server are called as Astro's own client calls them, and answer it byte
//! for byte, and forms work without a script: the module [`actions`] shows how.
//!
//! # Pages without a session
//!
//! A prerendered page is the same for everybody and has no session, as in Astro:
//! `SessionLayer::new(sessions).prerendered(["/about", "/assets/*"])`. There, and on a route outside the layer, the
//! extractor and [`Session::current`] answer with an error that names the route; `Option<Session>` is `None`. Such a page
//! never gets a cookie or a `Vary`, and never asks the store.
//!
//! # Caches
//!
//! A response that reads the session says `Vary: Cookie`. One that sends the cookie is never left for a shared cache, which
//! would hand one visitor's ID to the next: where it says `public`, `max-age`, `CDN-Cache-Control` and the like, it is made
//! `private` and a warning names the header; where it says nothing, `no-store`. That holds for whatever a handler or a layer
//! below the session's sets; a layer around it, or a proxy, has the last word.
//!
//! # When sessions end
//!
//! An entry ends with its own `ttl`, and a record with its last entry. Beyond Astro, a session can end when nobody
//! uses it (`idle`) and when it is old (`absolute`), whatever its entries say:
//!
//! ```
//! # use std::time::Duration;
//! # use cloakroom::Config;
//! let mut config = Config::new("memory");
//! config.idle = Some(Duration::from_secs(30 * 60));
//! config.absolute = Some(Duration::from_secs(24 * 60 * 60));
//! ```
//!
//! Without any of `idle`, `absolute` and `ttl` no session ever ends by itself, as with Astro: each visitor, and each crawler
//! that a page makes a session for, leaves a record for good. A store that keeps them is warned of at the start.
//!
//! Both are decided by what is stored and not by the cookie. The idle deadline is the record's expiry at the store;
//! a request that only reads moves it at most once per `touch_interval`, and rewrites nothing. The moment of creation
//! is an entry of the record, `cloakroom.created`, which Astro carries along as any other and this side hides;
//! `regenerate` keeps it. Expired data is removed: by the store where it does that itself, and else by a background
//! task that looks at what has expired and at nothing else.
//!
//! A cookie with a `max_age` is sent again where the deadline moves, with as much of it as `absolute` leaves. A response that
//! streams for longer than `idle` keeps its session alive by what it does with it. `remember` is what `idle` and `max_age` are
//! for a session that a handler has [remembered](Session::remember).
//!
//! An Astro site on the same store knows neither timeout. Its drivers write without a deadline unless their own `ttl`
//! option says otherwise, so set that to `idle`; what it leaves without one, the next request here gives one again.
//!
//! # Testing
//!
//! With the feature `testing` a handler is tested without a server: the module [`testing`] has sessions in memory, by a
//! clock that the test moves, in a store that fails on demand.
//!
//! ```
//! # #[cfg(all(feature = "testing", feature = "axum"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom::axum::Result<()> {
//! use cloakroom::{Result, Session};
//! use cloakroom::{Key, testing::TestSite};
//!
//! const NAME: Key<String> = Key::new("name");
//!
//! async fn sign_in(session: Session) -> Result<&'static str> {
//!     session.set(NAME, "Ann")?;
//!     session.sign_in("ann").await?;
//!     Ok("Welcome.")
//! }
//!
//! let site = TestSite::new();
//! let session = site.session_with(|session| session.set("theme", "dark")).await?;
//! assert_eq!(sign_in(session.clone().into()).await?, "Welcome.");
//! let committed = site.commit(&session).await?;
//! assert!(committed.was_regenerated());
//! assert_eq!(committed.changed(), ["name"]);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "testing", feature = "axum")))]
//! # fn main() {}
//! ```
//!
//! # Where sessions fail
//!
//! A store that does not answer is 503 with `Retry-After`, a record that cannot be read is 500 and its bytes are
//! kept (or, by [`CorruptPolicy`], moved aside), and no failed commit sends a cookie. What a handler set before it failed
//! itself is saved, and so is its cookie sent. [`ErrorKind`] lists everything that can go wrong.
//!
//! Each call to the store has a deadline (`timeout`), and what changed nothing is tried again (`retries`), within a
//! budget that keeps a store that comes back from being overrun. What requests get in the meantime is declared, for
//! the site, a layer or a route:
//!
//! | [`OutagePolicy`] | reading | changing |
//! |---|---|---|
//! | `Unavailable` (the default) | 503 | 503 |
//! | `ReadOnly` | the session as this process saw it last, ten minutes old at most; else 503 | 503 |
//! | `Anonymous` | no session, and [`Session::is_degraded`] tells; the cookie stays | 503 |
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use cloakroom::{Config, OutageLayer, OutagePolicy, SessionLayer, Sessions};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom::Result<()> {
//! # let sessions = Sessions::from_config(Config::new("memory")).await?;
//! # async fn front_page() {}
//! # async fn checkout() {}
//! let app: Router = Router::new()
//!     .route("/", get(front_page).layer(OutageLayer::new(OutagePolicy::Anonymous)))
//!     .route("/checkout", get(checkout))
//!     .layer(SessionLayer::new(sessions).outage(OutagePolicy::Unavailable));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "actions")]
pub mod actions;

#[cfg(feature = "actix-web")]
#[doc(inline)]
pub use cloakroom_actix as actix_web;
#[cfg(feature = "salvo")]
#[doc(inline)]
pub use cloakroom_salvo as salvo;
#[cfg(feature = "axum")]
pub use cloakroom_tower::axum;

#[cfg(feature = "encryption")]
pub use cloakroom_session::EncryptionConfig;
#[doc(inline)]
pub use cloakroom_session::adapter;
pub use cloakroom_session::adapter::{Principal, ReturnTo};
#[cfg(feature = "testing")]
#[doc(inline)]
pub use cloakroom_session::testing;
pub use cloakroom_session::{
    Adapter, AllSessions, Config, CookieConfig, CookieHeaders, CorruptPolicy, EntryName, Error,
    ErrorKind, Event, EventKind, Events, Flash, IndexSecret, Key, ListedSession, Missed, OldInput,
    OutagePolicy, PrincipalSessions, Result, RevokedBy, SameSite, Session, SessionData,
    SessionHandle, SessionHash, SessionId, SessionKey, Sessions, SessionsBuilder, SetOptions,
    StoredHandle, StoredSession, WhenFull, WriteKey, devalue, drivers, storage,
};
pub use cloakroom_tower::{
    GuardService, OutageLayer, OutageService, RequirePrincipal, RequireRecent, SessionBody,
    SessionLayer, SessionService,
};
#[cfg(feature = "actions")]
pub use cloakroom_tower::{OriginLayer, OriginService};

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
mod pages;
