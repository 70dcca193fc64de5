//! What whoever runs a store should know of it: what is unsafe as it is, and what to do.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, PoisonError};

use crate::{Capabilities, Driver};

/// What the log's warnings of this are found by.
const TARGET: &str = "cloakroom::advice";

/// Something that works and is unsafe, and what to do about it.
///
/// ```
/// use cloakroom_storage::{Advice, Severity};
///
/// let advice = Advice::warning("no-tls", "others on the way can read all sessions", "use `rediss://`");
/// assert_eq!(advice.severity(), Severity::Warning);
/// assert_eq!(advice.to_string(), "others on the way can read all sessions: use `rediss://`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    code: &'static str,
    severity: Severity,
    problem: String,
    remedy: String,
    is_usual_in_development: bool,
}

/// Who should hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Whoever asks: it may be as it should.
    Note,
    /// Everybody who starts a server: somebody may lose sessions, or read those of others.
    Warning,
}

impl Advice {
    /// What everybody should hear who starts a server. `code` stays the same in later versions; `remedy` says what to do.
    pub fn warning(
        code: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Advice {
        let (problem, remedy) = (problem.into(), remedy.into());
        let severity = Severity::Warning;
        Advice { code, severity, problem, remedy, is_usual_in_development: false }
    }

    /// What those should hear who ask.
    pub fn note(
        code: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Advice {
        Advice { severity: Severity::Note, ..Advice::warning(code, problem, remedy) }
    }

    /// Says that it is how things are on the machine of whoever writes the program: debug builds do not warn of it.
    #[must_use]
    pub fn usual_in_development(self) -> Advice {
        Advice { is_usual_in_development: true, ..self }
    }

    /// What a store that can do this leaves open.
    ///
    /// ```
    /// use cloakroom_storage::{Advice, Capabilities};
    ///
    /// let advice = Advice::on(Capabilities { retains: true, expiry: true, ..Capabilities::none() });
    /// assert_eq!(advice[0].code(), "updates-can-be-lost");
    /// ```
    pub fn on(capabilities: Capabilities) -> Vec<Advice> {
        let Capabilities { retains, compare_and_swap, expiry, durable, read_only, .. } =
            capabilities;
        if !retains {
            let (problem, remedy) =
                ("the store keeps nothing", "choose another driver where sessions shall be kept");
            return vec![Advice::note("keeps-nothing", problem, remedy)];
        }
        let mut advice = Vec::new();
        if !compare_and_swap && !read_only {
            advice.push(Advice::warning(
                "updates-can-be-lost",
                "the store cannot compare and swap, so that of two changes of one entry at once the later one wins, `update` too",
                "choose a driver that can, as most do",
            ));
        }
        if !expiry {
            advice.push(Advice::warning(
                "nothing-expires",
                "nothing expires in the store",
                "choose another driver, or end sessions by `absolute` and remove old ones yourself",
            ));
        }
        if !durable {
            advice.push(Advice::note(
                "kept-in-memory",
                "sessions are gone when what keeps them is restarted",
                "choose a driver that is durable where that matters",
            ));
        }
        advice
    }

    /// By what a program tells it from others.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Who should hear of it.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// Whether debug builds do not warn of it.
    pub fn is_usual_in_development(&self) -> bool {
        self.is_usual_in_development
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.problem, self.remedy)
    }
}

/// Warns in the log of what everybody should hear who starts a server with this store: of each once in a process, however often
/// the store at this place is opened.
///
/// The target is `cloakroom::advice`, by which a filter leaves them out.
pub fn warn_once(driver: &dyn Driver, at: &str, advice: &[Advice]) {
    let store = driver.name();
    for advice in advice.iter().filter(|advice| is_for_everybody(advice)) {
        if is_new(&(store, at, advice.code(), advice.problem())) {
            let (code, problem, remedy) = (advice.code(), advice.problem(), advice.remedy());
            tracing::warn!(target: TARGET, code, store, at, "{problem}: {remedy}");
        }
    }
}

fn is_for_everybody(advice: &Advice) -> bool {
    let is_developed = cfg!(debug_assertions) && advice.is_usual_in_development;
    advice.severity >= Severity::Warning && !is_developed
}

/// Whether nobody has been told.
fn is_new(what: &(&str, &str, &str, &str)) -> bool {
    /// What was told, by its hash.
    static TOLD: Mutex<Option<HashSet<u64>>> = Mutex::new(None);

    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(what);
    // Nothing panics while it holds this.
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.get_or_insert_default().insert(hash)
}
