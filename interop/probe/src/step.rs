use std::time::Duration;

use cloakroom::{Session, SetOptions};
use serde::Deserialize;
use serde_devalue::Value;
use serde_json::{Value as Json, json};

use crate::gate::Gates;
use crate::problem::Problem;

/// One method of the session. Values travel as devalue texts.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Step {
    Set {
        key: String,
        value: String,
        /// In seconds.
        ttl: Option<f64>,
    },
    Get {
        key: String,
    },
    Has {
        key: String,
    },
    Delete {
        key: String,
    },
    /// Reads one key and writes what was read under another, so that this side writes the value anew.
    Copy {
        key: String,
        to: String,
    },
    /// Appends to a list.
    Push {
        key: String,
        item: String,
    },
    /// Waits until the test opens the gate.
    Wait {
        gate: String,
    },
    Load {
        id: String,
    },
    Keys,
    Id,
    Regenerate,
    Destroy,
}

impl Step {
    pub(crate) async fn take(self, session: &Session, gates: &Gates) -> Result<Json, Problem> {
        Ok(match self {
            Step::Set { key, value, ttl } => {
                let value: Value = serde_devalue::from_str(&value)?;
                let options = match ttl.map(Duration::try_from_secs_f64) {
                    Some(ttl) => SetOptions::new().ttl(ttl.map_err(|_| Problem::Ttl)?),
                    None => SetOptions::new(),
                };
                session.set_with(key.as_str(), &value, options)?;
                Json::Null
            }
            Step::Get { key } => match session.get::<Value>(key.as_str()).await? {
                Some(value) => json!(serde_devalue::to_string(&value)?),
                None => Json::Null,
            },
            Step::Has { key } => json!(session.has(&key).await?),
            Step::Delete { key } => {
                session.delete(&key);
                Json::Null
            }
            Step::Copy { key, to } => {
                let value = session.get::<Value>(key.as_str()).await?.unwrap_or(Value::Undefined);
                session.set(to.as_str(), &value)?;
                Json::Null
            }
            Step::Push { key, item } => {
                let push = |list: &mut Vec<String>| list.push(item.clone());
                json!(session.update::<Vec<String>>(key.as_str(), push).await?)
            }
            Step::Wait { gate } => {
                gates.pass(&gate).await?;
                Json::Null
            }
            Step::Load { id } => json!(session.load(&id).await?),
            Step::Keys => json!(session.keys().await?),
            Step::Id => json!(session.id().map(|id| id.to_string())),
            Step::Regenerate => {
                session.regenerate().await?;
                Json::Null
            }
            Step::Destroy => {
                session.destroy();
                Json::Null
            }
        })
    }
}
