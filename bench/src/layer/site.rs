//! A service with one stored session, and the requests that are put to it.

use std::convert::Infallible;
use std::fmt;

use anyhow::{Result, anyhow, ensure};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use axum::routing::get;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt as _};

/// What a request does with its session: a route each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Case {
    Untouched,
    Read,
    /// Reads an entry, and sets it to another value.
    Change,
    /// The same in one call, where there is one that loses nobody else's change; otherwise as `Change`.
    Update,
}

impl Case {
    pub(super) const ALL: [Case; 4] = [Case::Untouched, Case::Read, Case::Change, Case::Update];

    pub(super) fn path(self) -> &'static str {
        match self {
            Case::Untouched => "/untouched",
            Case::Read => "/read",
            Case::Change => "/change",
            Case::Update => "/update",
        }
    }
}

/// The route that stores the session, and hands out its cookie.
pub(super) const FILL: &str = "/fill";

/// What every route answers.
pub(super) const ANSWER: &str = "hello";

/// The routes of every site of axum's.
pub(super) fn router<F: 'static, R: 'static, C: 'static, U: 'static>(
    fill: impl Handler<F, ()>,
    read: impl Handler<R, ()>,
    change: impl Handler<C, ()>,
    update: impl Handler<U, ()>,
) -> Router {
    Router::new()
        .route(FILL, get(fill))
        .route(Case::Untouched.path(), get(async || ANSWER))
        .route(Case::Read.path(), get(read))
        .route(Case::Change.path(), get(change))
        .route(Case::Update.path(), get(update))
}

/// One of ten entries, of about 200 bytes each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) count: u32,
    name: String,
    note: String,
}

impl Entry {
    pub(super) const KEYS: [&str; 10] = [
        "user", "cart", "recent", "search", "wishlist", "address", "payment", "theme", "csrf",
        "survey",
    ];
    /// The one that is read and changed.
    pub(super) const KEY: &str = "address";

    pub(super) fn new(key: &str) -> Entry {
        Entry {
            count: 1,
            name: format!("the visitor's {key}"),
            note: format!("{key}: ").repeat(16).chars().take(128).collect(),
        }
    }
}

/// A service that is called in this process.
pub(super) struct Site<'a> {
    pub(super) name: &'static str,
    call: Box<dyn FnMut(Case) -> Result<()> + 'a>,
}

impl<'a> Site<'a> {
    pub(super) fn new(
        name: &'static str,
        mut call: impl FnMut(Case) -> Result<()> + 'a,
    ) -> Result<Site<'a>> {
        // Whatever is compared has to work.
        for case in Case::ALL {
            call(case)?;
        }
        Ok(Site { name, call: Box::new(call) })
    }

    /// A tower service of axum's requests, whose session is stored first.
    pub(super) fn tower<S, B>(
        name: &'static str,
        runtime: &'a Runtime,
        mut service: S,
    ) -> Result<Site<'a>>
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + 'a,
        B: HttpBody + Unpin,
        B::Error: fmt::Debug,
    {
        let filled =
            runtime.block_on(exchange(&mut service, Request::get(FILL).body(Body::empty())?))?;
        let cookie = cookie(&filled)?;
        let uris = Case::ALL.map(|case| Uri::from_static(case.path()));
        Site::new(name, move |case| {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = uris[case as usize].clone();
            request.headers_mut().insert(header::COOKIE, cookie.clone());
            runtime.block_on(exchange(&mut service, request)).map(drop)
        })
    }

    /// One request and its answer.
    pub(super) fn call(&mut self, case: Case) {
        if let Err(error) = (self.call)(case) {
            panic!("{}, {case:?}: {error}", self.name);
        }
    }
}

/// A request, and its answer to the end.
async fn exchange<S, B>(service: &mut S, request: Request<Body>) -> Result<HeaderMap>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: HttpBody + Unpin,
    B::Error: fmt::Debug,
{
    let (parts, mut body) = service.ready().await?.call(request).await?.into_parts();
    ensure!(parts.status == StatusCode::OK, "the answer is {}", parts.status);
    while let Some(frame) = body.frame().await {
        frame.map_err(|error| anyhow!("the body broke off: {error:?}"))?;
    }
    Ok(parts.headers)
}

/// What a browser sends back. Sites without a session get a cookie all the same.
fn cookie(headers: &HeaderMap) -> Result<HeaderValue> {
    let pairs = headers.get_all(header::SET_COOKIE).iter().map(|set| {
        let set = set.to_str()?;
        Ok(set.split(';').next().unwrap_or_default().to_owned())
    });
    let pairs = pairs.collect::<Result<Vec<_>>>()?.join("; ");
    let pairs = match pairs.as_str() {
        "" => "astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11",
        pairs => pairs,
    };
    Ok(HeaderValue::try_from(pairs)?)
}
