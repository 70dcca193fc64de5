//! What becomes of a call on its way to the store and back.

use std::time::Duration;

use cloakroom_storage::{Error, ErrorKind};

use crate::history::FaultKind;
use crate::random::Random;

/// After so long a caller waits for an answer no more.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

/// The way of a call.
pub(crate) struct Way {
    /// When it arrives; `None` where it does not.
    pub(crate) arrives: Option<Duration>,
    /// When its caller is told something.
    pub(crate) answered: Duration,
    /// What its caller is told instead of what the store says.
    pub(crate) failure: Option<(ErrorKind, bool)>,
}

impl Way {
    /// The way of a call that leaves now.
    pub(crate) fn new(
        fault: Option<FaultKind>,
        now: Duration,
        stalled_until: Duration,
        latency: u64,
        random: &mut Random,
    ) -> Way {
        let mut leg = || Duration::from_micros(random.between(1, latency));
        let (there, back) = (leg(), leg());
        let arrives = (now + there).max(stalled_until);
        let answered = arrives + back;
        let late = now + PATIENCE;
        let lost = Some((ErrorKind::Timeout, false));
        let broken = Some((ErrorKind::Unavailable, false));
        match fault {
            Some(FaultKind::Refused) => {
                let failure = Some((ErrorKind::Unavailable, true));
                Way { arrives: None, answered: now + there + back, failure }
            }
            Some(FaultKind::RequestLost) => Way { arrives: None, answered: late, failure: lost },
            Some(FaultKind::RequestBroken) => {
                Way { arrives: None, answered: now + there + back, failure: broken }
            }
            Some(FaultKind::AnswerLost) => {
                Way { arrives: Some(arrives), answered: late, failure: lost }
            }
            Some(FaultKind::AnswerBroken) => {
                Way { arrives: Some(arrives), answered: answered.min(late), failure: broken }
            }
            _ if answered > late => Way { arrives: Some(arrives), answered: late, failure: lost },
            _ => Way { arrives: Some(arrives), answered, failure: None },
        }
    }
}

/// The error that the caller is told.
pub(crate) fn error(kind: ErrorKind, is_unapplied: bool) -> Error {
    Error::new(kind, "as the history wants it").with_unapplied(is_unapplied)
}
