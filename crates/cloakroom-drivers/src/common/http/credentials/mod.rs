//! Credentials that end: found once, used as long as they are good, renewed in the background before they end, and found anew
//! where a service refuses them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use http::request::Parts;
use reqsign_core::time::Timestamp;
use reqsign_core::{
    Context, ProvideCredential, ProvideCredentialDyn, SignRequest, SignRequestDyn,
    SigningCredential,
};
use tokio::sync::oneshot;

use super::sources::Watched;
use cloakroom_storage::platform;

/// How long before their end credentials are renewed; those that do not live as long, at the half of their time.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// After what time those that name no end are looked for again: somebody may have written others into their file.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// Between two attempts to renew what is good still.
const PAUSE: Duration = Duration::from_secs(10);

/// How long it may take to find credentials. Callers have a shorter deadline; this one ends the work that they left behind.
const LONGEST_SEARCH: Duration = Duration::from_secs(20);

/// What is kept here.
pub(crate) trait Ending: SigningCredential {
    /// When they end, where they say so.
    fn end(&self) -> Option<Timestamp>;

    /// Whether a service would take them for the same.
    fn is_same(&self, other: &Self) -> bool;
}

/// Why there are none. [Retryable](reqsign_core::Error::is_retryable) where a service that gives them is away.
pub(crate) type SearchError = Arc<reqsign_core::Error>;

/// Credentials, and how they sign.
pub(crate) struct Credentials<C: Ending>(Arc<Keeper<C>>);

struct Keeper<C: Ending> {
    context: Context,
    source: Arc<dyn ProvideCredentialDyn<Credential = C>>,
    signer: Arc<dyn SignRequestDyn<Credential = C>>,
    state: Mutex<State<C>>,
}

struct State<C> {
    held: Option<Arc<C>>,
    /// When those that are held are to be renewed.
    renewal: Timestamp,
    /// What is under way, for all who wait for it.
    search: Option<Search<C>>,
}

type Search<C> = Shared<oneshot::Receiver<Result<Arc<C>, SearchError>>>;

impl<C: Ending> Credentials<C> {
    pub(crate) fn new(
        context: Context,
        source: impl ProvideCredential<Credential = C>,
        signer: impl SignRequest<Credential = C>,
    ) -> Credentials<C> {
        let state = State { held: None, renewal: Timestamp::default(), search: None };
        Credentials(Arc::new(Keeper {
            context,
            source: Arc::new(source),
            signer: Arc::new(signer),
            state: Mutex::new(state),
        }))
    }

    /// Those at hand as long as they are good; else those that are found now.
    pub(crate) async fn current(&self) -> Result<Arc<C>, SearchError> {
        let search = {
            let mut state = self.0.state();
            match state.held.clone().filter(|held| self.0.is_good(held)) {
                Some(held) => {
                    if state.renewal <= Timestamp::now() {
                        // Nobody waits for it.
                        _ = self.search(&mut state);
                    }
                    return Ok(held);
                }
                None => self.search(&mut state),
            }
        };
        found(search).await
    }

    /// Others than these, which a service has refused; `None` where there are no others.
    pub(crate) async fn instead_of(&self, refused: &C) -> Result<Option<Arc<C>>, SearchError> {
        let search = {
            let mut state = self.0.state();
            match &state.held {
                Some(held) if !held.is_same(refused) => return Ok(Some(held.clone())),
                _ => self.search(&mut state),
            }
        };
        let found = found(search).await?;
        Ok((!found.is_same(refused)).then_some(found))
    }

    /// Signs a request.
    pub(crate) async fn sign(&self, request: &mut Parts, with: &C) -> Result<(), SearchError> {
        let Keeper { signer, context, .. } = &*self.0;
        signer.sign_request_dyn(context, request, Some(with), None).await.map_err(Arc::new)
    }

    /// The search that is under way, or a new one. It goes on if nobody waits for it any longer.
    fn search(&self, state: &mut State<C>) -> Search<C> {
        if let Some(search) = &state.search {
            return search.clone();
        }
        let (sender, receiver) = oneshot::channel();
        let search = receiver.shared();
        state.search = Some(search.clone());
        let under_way = UnderWay(self.0.clone());
        // Outside of a runtime it is dropped, and so is the sender.
        _ = platform::detach(async move {
            let found = under_way.0.find().await;
            drop(under_way);
            // Perhaps nobody waits.
            _ = sender.send(found);
        });
        search
    }
}

async fn found<C: Ending>(search: Search<C>) -> Result<Arc<C>, SearchError> {
    search.await.unwrap_or_else(|_| {
        let message = "the search was given up, as its runtime shuts down";
        Err(Arc::new(reqsign_core::Error::unexpected(message).set_retryable(true)))
    })
}

impl<C: Ending> Keeper<C> {
    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_good(&self, credential: &C) -> bool {
        credential.is_valid_at(self.signer.required_valid_until_dyn(credential, None))
    }

    /// Looks for credentials, and keeps them.
    async fn find(&self) -> Result<Arc<C>, SearchError> {
        let watched = Watched::new(self.context.clone());
        let context = watched.context();
        let search = self.source.provide_credential_dyn(&context);
        let found = platform::timeout(LONGEST_SEARCH, search).await;
        let is_away = watched.is_away();
        let away = |message| reqsign_core::Error::unexpected(message).set_retryable(true);
        let found = match found {
            None => Err(away("nobody gave credentials in time")),
            Some(Ok(Some(found))) if !is_away => Ok(Arc::new(found)),
            Some(Ok(_)) if is_away => Err(away("a service that gives credentials did not answer")),
            Some(Ok(_)) => {
                Err(reqsign_core::Error::credential_invalid("no source has credentials"))
            }
            Some(Err(error)) => {
                let is_retryable = error.is_retryable() || is_away;
                Err(error.set_retryable(is_retryable))
            }
        };
        let now = Timestamp::now();
        let mut state = self.state();
        match &found {
            Ok(found) => {
                state.renewal = renewal(&**found, now);
                state.held = Some(found.clone());
            }
            Err(error) => {
                // Those at hand stay.
                state.renewal = now + PAUSE;
                tracing::debug!(%error, "no credentials were found");
            }
        }
        found.map_err(Arc::new)
    }
}

fn renewal(credential: &impl Ending, now: Timestamp) -> Timestamp {
    let Some(end) = credential.end() else { return now + KEPT };
    let left = end.as_system_time().duration_since(now.as_system_time()).unwrap_or_default();
    now + left.saturating_sub(AHEAD).max(left / 2)
}

/// A search, which is over when this is dropped, however that came.
struct UnderWay<C: Ending>(Arc<Keeper<C>>);

impl<C: Ending> Drop for UnderWay<C> {
    fn drop(&mut self) {
        self.0.state().search = None;
    }
}

impl<C: Ending> fmt::Debug for Credentials<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
