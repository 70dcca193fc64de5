//! One request and its answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPECT, HeaderMap,
    HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use cloakroom_storage::{Capabilities, ItemKey, RemoveOutcome, SetOutcome, Version, When};

use crate::access::Permission;
use crate::body::Incoming;
use crate::condition::{Condition, unsupported};
use crate::refusal::{OnRefusal, Refusal};
use crate::target::Target;
use crate::{StorageServer, listing, tag, ttl};

/// What the store can do, in words: the sign that this server understands more than unstorage's protocol, and that an answer
/// is its own and no gateway's.
const STORAGE: HeaderName = HeaderName::from_static("cloakroom-storage");

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

pub(crate) async fn answer(State(server): State<Arc<StorageServer>>, request: Request) -> Response {
    let begin = Instant::now();
    let method = request.method().clone();
    let is_known =
        [Method::DELETE, Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH, Method::PUT]
            .contains(&method);
    let target = Target::of(request.uri().path(), &server.base);
    let item = match &target {
        Ok(Target::Item(key)) => Some(key.hash()),
        _ => None,
    };
    let (parts, body) = request.into_parts();
    let mut value = Incoming::new(body);
    let permission = server.access.permission(&parts.uri, &parts.headers);
    // Not for whoever may do nothing.
    let sign = permission.as_ref().ok().map(|permission| server.words(*permission));
    let result = match (target, permission) {
        // In unstorage's order.
        _ if !is_known => Err(not_allowed()),
        (Err(refusal), _) => Err(refusal),
        (Ok(target), permission) => server.respond(target, permission, &parts, &mut value).await,
    };
    let mut response = match result {
        Ok(response) => response,
        Err(refusal) => {
            refusal.log();
            if let Some(refused) = parts.extensions.get::<OnRefusal>() {
                refused.call();
            }
            // Who asks before sending a value has not sent it.
            if !parts.headers.contains_key(EXPECT) {
                value.discard().await;
            }
            refusal.into_response()
        }
    };
    let headers = response.headers_mut();
    // DIFFERENCE: unstorage says `max-age`, and caches would keep what is in a session.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().extend(sign.map(|words| (STORAGE, words)));
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    // A path may name a session, and so it is not in here.
    let (status, took) = (response.status().as_u16(), begin.elapsed());
    tracing::debug!(%method, item = item.map(tracing::field::display), status, ?took, "answered");
    response
}

impl StorageServer {
    async fn respond(
        &self,
        target: Target,
        permission: Result<Permission, Refusal>,
        parts: &Parts,
        value: &mut Incoming,
    ) -> Result<Response, Refusal> {
        let (method, headers) = (&parts.method, &parts.headers);
        let takes_a_base = [Method::GET, Method::DELETE, Method::OPTIONS].contains(method);
        if matches!(target, Target::Base(_)) && !takes_a_base {
            let message = format!("{method} is for one item, and this path means all below it");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
        }
        let permission = permission?;
        if [Method::PUT, Method::DELETE, Method::PATCH].contains(method)
            && permission == Permission::Read
        {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "this may be read and not written to"));
        }
        match (method, &target) {
            (&Method::OPTIONS, _) => {
                Ok((StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response())
            }
            (&Method::GET, Target::Base(base)) => {
                self.needs(self.driver.capabilities().iteration, "list its keys")?;
                Ok(listing::list(self.driver.clone(), base.clone(), self.base.len()).await?)
            }
            (&Method::DELETE, Target::Base(base)) => {
                Condition::refuse(headers)?;
                self.needs(self.driver.capabilities().iteration, "list its keys")?;
                listing::clear(&self.driver, base).await?;
                Ok(done())
            }
            (&Method::GET | &Method::HEAD, Target::Item(key)) => self.read(key, headers).await,
            (&Method::PUT, Target::Item(key)) => self.write(key, headers, value).await,
            (&Method::DELETE, Target::Item(key)) => self.remove(key, headers).await,
            (&Method::PATCH, Target::Item(key)) => {
                value.refuse()?;
                self.touch(key, headers).await
            }
            _ => Err(not_allowed()),
        }
    }

    /// What can be done here by whoever has this permission. It may change: a driver may find out more.
    fn words(&self, permission: Permission) -> HeaderValue {
        let mut capabilities = self.driver.capabilities();
        capabilities.read_only = permission == Permission::Read;
        HeaderValue::from_str(&words(capabilities)).unwrap_or(HeaderValue::from_static(""))
    }

    async fn read(&self, key: &ItemKey, headers: &HeaderMap) -> Result<Response, Refusal> {
        let Some((item, remaining)) = self.driver.get_with_ttl(key).await? else {
            return Err(missing());
        };
        let is_raw = headers.get(ACCEPT) == Some(&BYTES);
        let is_text = !is_raw && std::str::from_utf8(&item.value).is_ok();
        let mut response = Response::new(Body::empty());
        let answered = response.headers_mut();
        answered.insert(CONTENT_TYPE, if is_text { TEXT } else { BYTES });
        // Said for HEAD as well, which has no value to count.
        answered.insert(CONTENT_LENGTH, item.value.len().into());
        answered.extend(tag_header(&tag::of(&item)));
        answered.extend(remaining.and_then(ttl::header).map(|value| (ttl::TTL, value)));
        *response.body_mut() = item.value.into();
        Ok(response)
    }

    async fn write(
        &self,
        key: &ItemKey,
        headers: &HeaderMap,
        value: &mut Incoming,
    ) -> Result<Response, Refusal> {
        let condition = Condition::of(headers)?;
        let value = value.read(self.max_size).await?;
        let when = match condition {
            Condition::Always => When::Always,
            Condition::Absent => {
                self.compares()?;
                When::Absent
            }
            Condition::AnyOf(tags) => {
                self.compares()?;
                match self.version(key, &tags).await? {
                    Some(version) => When::Version(version),
                    None => return Err(self.failed(key).await),
                }
            }
            Condition::Present => {
                return Err(unsupported("`If-Match: *` is for `DELETE`; `PUT` takes an `ETag`"));
            }
        };
        match self.driver.set(key, value.clone(), when, ttl::of(headers)).await? {
            SetOutcome::Written { version } => {
                let mut response = done();
                response.headers_mut().extend(tag_header(&tag::tag(&version, &value)));
                Ok(response)
            }
            SetOutcome::Conflict => Err(self.failed(key).await),
        }
    }

    async fn remove(&self, key: &ItemKey, headers: &HeaderMap) -> Result<Response, Refusal> {
        let condition = Condition::of(headers)?;
        let outcome = match &condition {
            Condition::Always | Condition::Present => self.driver.remove(key, When::Always).await?,
            Condition::Absent => {
                return Err(unsupported("`If-None-Match: *` is no condition for `DELETE`"));
            }
            Condition::AnyOf(tags) => {
                self.compares()?;
                match self.version(key, tags).await? {
                    Some(version) => self.driver.remove(key, When::Version(version)).await?,
                    None => RemoveOutcome::Conflict,
                }
            }
        };
        match outcome {
            RemoveOutcome::Removed => Ok(done()),
            RemoveOutcome::Missing if condition == Condition::Always => Ok(done()),
            RemoveOutcome::Missing => Err(precondition_failed()),
            RemoveOutcome::Conflict => Err(self.failed(key).await),
        }
    }

    async fn touch(&self, key: &ItemKey, headers: &HeaderMap) -> Result<Response, Refusal> {
        Condition::refuse(headers)?;
        let lifetime = ttl::of(headers);
        if lifetime.is_none() && headers.contains_key(ttl::TTL) {
            // Nobody who means to move a deadline means to take it away.
            let message = "`x-ttl` must be a number of seconds, and not 0; without it the item stays for ever";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
        }
        match self.driver.touch(key, lifetime).await? {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => Err(missing()),
        }
    }

    /// The version that one of the tags is of, if the item can be there at it.
    async fn version(&self, key: &ItemKey, tags: &[String]) -> Result<Option<Version>, Refusal> {
        if let [tag] = tags
            && let Some(version) = tag::version(tag)
        {
            return Ok(Some(version));
        }
        // What comes between this and the write is found by the store then.
        let item = self.driver.get(key).await?;
        Ok(item.filter(|item| tags.contains(&tag::of(item))).map(|item| item.version))
    }

    /// The answer to a condition that does not hold: with the tag that is there, if the item is there at all.
    async fn failed(&self, key: &ItemKey) -> Refusal {
        match self.driver.get(key).await {
            Ok(Some(item)) => match tag_header(&tag::of(&item)) {
                Some((name, value)) => precondition_failed().with(name, value),
                None => precondition_failed(),
            },
            Ok(None) => precondition_failed(),
            Err(error) => error.into(),
        }
    }

    fn compares(&self) -> Result<(), Refusal> {
        self.needs(self.driver.capabilities().compare_and_swap, "compare and swap")
    }

    fn needs(&self, is_able: bool, what: &str) -> Result<(), Refusal> {
        let name = self.driver.name();
        is_able
            .then_some(())
            .ok_or_else(|| unsupported(&format!("the store `{name}` cannot {what}")))
    }
}

fn done() -> Response {
    ([(CONTENT_TYPE, TEXT)], "OK").into_response()
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is no such item")
}

fn precondition_failed() -> Refusal {
    Refusal::new(
        StatusCode::PRECONDITION_FAILED,
        "the condition does not hold: nothing was changed",
    )
}

fn not_allowed() -> Refusal {
    let message = "no item takes this method";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).with(ALLOW, METHODS)
}

/// Tags are of letters that every header can have.
fn tag_header(tag: &str) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(&format!("\"{tag}\"")).ok().map(|value| (ETAG, value))
}

fn words(capabilities: Capabilities) -> String {
    let words = [
        (capabilities.compare_and_swap, "compare-and-swap"),
        (capabilities.durable, "durable"),
        (capabilities.empty_values, "empty-values"),
        (capabilities.expiry, "expiry"),
        (capabilities.iteration, "iteration"),
        (capabilities.native_ttl, "native-ttl"),
        (capabilities.read_only, "read-only"),
        (capabilities.shared, "shared"),
        (capabilities.version_per_write, "version-per-write"),
    ];
    let words = words.into_iter().filter_map(|(holds, word)| holds.then_some(word));
    words.collect::<Vec<_>>().join(", ")
}
