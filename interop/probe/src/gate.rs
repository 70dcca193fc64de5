//! Where a request waits in the midst of its steps, until the test has done something else and lets it go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::problem::Problem;

/// How long anybody waits here: a test that failed opens no gates.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gates by the names that the test gives them.
#[derive(Clone, Default)]
pub(crate) struct Gates(Arc<Mutex<HashMap<String, Arc<Gate>>>>);

/// Passed once.
#[derive(Default)]
struct Gate {
    reached: Notify,
    opened: Notify,
}

impl Gates {
    /// Waits until the gate is opened.
    pub(crate) async fn pass(&self, name: &str) -> Result<(), Problem> {
        let gate = self.gate(name);
        gate.reached.notify_one();
        timeout(PATIENCE, gate.opened.notified()).await.map_err(|_| Problem::Gate)
    }

    fn gate(&self, name: &str) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(name.to_owned()).or_default().clone()
    }
}

/// Answers when a request has come to the gate.
pub(crate) async fn reached(
    State(gates): State<Gates>,
    Path(name): Path<String>,
) -> Result<(), Problem> {
    let gate = gates.gate(&name);
    timeout(PATIENCE, gate.reached.notified()).await.map_err(|_| Problem::Gate)
}

/// Lets the request at the gate go on.
pub(crate) async fn open(State(gates): State<Gates>, Path(name): Path<String>) {
    gates.gate(&name).opened.notify_one();
}
