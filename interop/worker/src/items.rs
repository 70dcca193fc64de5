//! The items of a store, as the driver has them.

use std::time::Duration;

use cloakroom_drivers::open;
use cloakroom_storage::{ItemKey, Result, SetOutcome, When};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
pub(crate) struct Calls {
    options: Map<String, Value>,
    calls: Vec<Call>,
}

/// One method of the driver.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Call {
    Get {
        key: String,
    },
    Set {
        key: String,
        value: String,
        /// In seconds.
        ttl: Option<u64>,
    },
    /// Writes where there is nothing, as far as the store can tell.
    Create {
        key: String,
        value: String,
    },
    /// Reads, and writes on the condition that it is still what was read, as far as the store can tell.
    Update {
        key: String,
        value: String,
    },
    Touch {
        key: String,
        /// In seconds.
        ttl: u64,
    },
    Remove {
        key: String,
    },
    Keys,
}

/// Makes the calls in order and gives the result of each.
pub(crate) async fn answer(driver: &str, Calls { options, calls }: Calls) -> Result<Vec<Value>> {
    let driver = open(driver, &options).await?;
    let compares = driver.capabilities().compare_and_swap;
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(match call {
            Call::Get { key } => {
                let item = driver.get(&ItemKey::new(&key)?).await?;
                json!(item.map(|item| String::from_utf8_lossy(&item.value).into_owned()))
            }
            Call::Set { key, value, ttl } => {
                let ttl = ttl.map(Duration::from_secs);
                _ = driver.set(&ItemKey::new(&key)?, value.into(), When::Always, ttl).await?;
                Value::Null
            }
            Call::Create { key, value } => {
                let when = if compares { When::Absent } else { When::Always };
                let outcome = driver.set(&ItemKey::new(&key)?, value.into(), when, None).await?;
                json!(outcome != SetOutcome::Conflict)
            }
            Call::Update { key, value } => {
                let key = ItemKey::new(&key)?;
                let item = driver.get(&key).await?;
                let version = item.map(|item| When::Version(item.version));
                let when = version.filter(|_| compares).unwrap_or(When::Always);
                let outcome = driver.set(&key, value.into(), when, None).await?;
                json!(outcome != SetOutcome::Conflict)
            }
            Call::Touch { key, ttl } => {
                json!(driver.touch(&ItemKey::new(&key)?, Some(Duration::from_secs(ttl))).await?)
            }
            Call::Remove { key } => {
                driver.remove(&ItemKey::new(&key)?, When::Always).await?;
                Value::Null
            }
            Call::Keys => {
                let keys: Vec<ItemKey> = driver.keys("").try_collect().await?;
                json!(keys.iter().map(ItemKey::as_str).collect::<Vec<_>>())
            }
        });
    }
    Ok(answers)
}
