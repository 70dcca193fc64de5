//! What a route says about outages.

use cloakroom_session::OutagePolicy;
use cloakroom_session::adapter::Commit;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::extract::SessionDepotExt;

/// Declares what the requests of a route get while the session store does not answer, over what
/// [`SessionMiddleware`](crate::SessionMiddleware) and the configuration say.
///
/// ```
/// # use cloakroom_salvo::OutageMiddleware;
/// # use cloakroom_session::OutagePolicy;
/// # use salvo::Router;
/// let front_page = Router::new().hoop(OutageMiddleware::new(OutagePolicy::Anonymous));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OutageMiddleware {
    policy: OutagePolicy,
}

impl OutageMiddleware {
    /// A middleware that declares `policy`.
    pub fn new(policy: OutagePolicy) -> OutageMiddleware {
        OutageMiddleware { policy }
    }
}

#[async_trait]
impl Handler for OutageMiddleware {
    async fn handle(&self, _: &mut Request, depot: &mut Depot, _: &mut Response, _: &mut FlowCtrl) {
        // A route without a session has nothing that an outage could take away.
        if let Some(session) = depot.session() {
            session.set_outage_policy(self.policy);
        }
    }
}
