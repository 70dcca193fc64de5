//! How the store's keys are made of IDs.

use cloakroom_storage::KeyHasher;
use serde_json::Value;

use super::super::fields::{Fields, Result, Unusable, kind};

/// A switch, or a table with the secret.
pub(super) fn from_value(value: Value) -> Result<Option<KeyHasher>> {
    let table = match value {
        Value::Bool(is_on) => return Ok(is_on.then(KeyHasher::sha256)),
        Value::Object(table) => table,
        other => {
            let message = format!(
                "hashIds is {}: it must be true, false, or a table with the `secret`",
                kind(&other)
            );
            return Err(Unusable::new("hashIds", message));
        }
    };
    let mut fields = Fields::new("hashIds.", table);
    let secret = fields.take("secret");
    fields.finish()?;
    let refused = |reason: &dyn std::fmt::Display| {
        Unusable::new("hashIds.secret", format!("hashIds.secret: {reason}"))
    };
    match secret {
        Some(Value::String(secret)) => {
            KeyHasher::hmac_sha256(secret).map(Some).map_err(|error| refused(&error))
        }
        Some(other) => Err(refused(&format_args!("it is {}, and must be a text", kind(&other)))),
        None => Err(refused(&"it is missing; for a hash without one set hashIds to true")),
    }
}
