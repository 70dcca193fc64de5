//! The store below the sessions: items by their keys, as the driver has them.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use cloakroom::storage::{DynDriver, Error, ItemKey, When};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::{Value as JsonValue, json};

use crate::problem::Problem;

/// One method of the driver. Values are arrays of bytes.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Call {
    Get {
        key: String,
    },
    Set {
        key: String,
        value: Vec<u8>,
        /// In milliseconds.
        ttl: Option<u64>,
    },
    Remove {
        key: String,
    },
    Keys,
}

impl Call {
    async fn make(self, driver: &DynDriver) -> Result<JsonValue, Error> {
        Ok(match self {
            Call::Get { key } => {
                let item = driver.get(&ItemKey::new(&key)?).await?;
                json!(item.map(|item| item.value.to_vec()))
            }
            Call::Set { key, value, ttl } => {
                let ttl = ttl.map(Duration::from_millis);
                _ = driver.set(&ItemKey::new(&key)?, value.into(), When::Always, ttl).await?;
                JsonValue::Null
            }
            Call::Remove { key } => {
                driver.remove(&ItemKey::new(&key)?, When::Always).await?;
                JsonValue::Null
            }
            Call::Keys => {
                let keys: Vec<ItemKey> = driver.keys("").try_collect().await?;
                json!(keys.iter().map(ItemKey::as_str).collect::<Vec<_>>())
            }
        })
    }
}

/// Makes the calls in order and answers with the result of each.
pub(crate) async fn answer(
    State(driver): State<DynDriver>,
    Json(calls): Json<Vec<Call>>,
) -> Result<Json<Vec<JsonValue>>, Problem> {
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        results.push(call.make(&driver).await.map_err(Problem::Storage)?);
    }
    Ok(Json(results))
}
