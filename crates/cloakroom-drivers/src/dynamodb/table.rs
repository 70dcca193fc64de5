//! One table, request by request.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::NAME;
use super::failure::{failure, name};
use crate::common::http::{Address, Aws, Expiry, Request, unreadable};
use cloakroom_storage::{Error, ErrorKind, Result};

/// How often a table that is being made is looked at.
const LOOKS: u32 = 150;
const PAUSE: Duration = Duration::from_millis(200);

/// The condition that an item has not expired.
pub(super) const LIVES: &str = "(attribute_not_exists(#deadline) OR #deadline > :now)";

/// What expressions call the attributes: many a name is a reserved word.
const NAMES: [(&str, &str); 4] =
    [("#id", "id"), ("#value", "value"), ("#expires", "expires"), ("#deadline", "deadline")];

/// A table, and how to reach it.
#[derive(Debug)]
pub(super) struct Table {
    aws: Aws,
    uri: Uri,
    name: String,
}

/// An item as it was found, whether or not it has expired.
pub(super) struct Row {
    pub(super) value: Bytes,
    pub(super) deadline: Option<Expiry>,
}

/// A part of a walk through the table.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    #[serde(default)]
    items: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) scanned_count: usize,
    last_evaluated_key: Option<Map<String, Value>>,
}

impl Page {
    /// The items' names.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| text(item, "id", "S"))
    }

    /// Where the next page begins.
    pub(super) fn next(&self) -> Option<String> {
        text(self.last_evaluated_key.as_ref()?, "id", "S").map(str::to_owned)
    }
}

impl Row {
    fn of(item: &Map<String, Value>) -> Result<Row> {
        let value = text(item, "value", "B").and_then(|text| BASE64.decode(text).ok());
        let Some(value) = value else {
            let message =
                "the attribute `value` is missing or not binary; somebody else wrote this";
            return Err(Error::new(ErrorKind::Corrupt, message).with_driver(NAME));
        };
        Ok(Row { value: value.into(), deadline: deadline(item) })
    }

    pub(super) fn has_expired(&self) -> bool {
        self.deadline.is_some_and(Expiry::has_passed)
    }
}

impl Table {
    pub(super) fn new(aws: Aws, endpoint: &Address, name: String) -> Result<Table> {
        Ok(Table { aws, uri: endpoint.uri(NAME, "/")?, name })
    }

    pub(super) async fn get(&self, id: &str) -> Result<Option<Row>> {
        let body = json!({ "Key": key(id), "ConsistentRead": true });
        let answer = self.call("GetItem", body).await?.unwrap_or_default();
        answer["Item"].as_object().map(Row::of).transpose()
    }

    /// Writes the whole item; false where the condition does not hold.
    pub(super) async fn put(
        &self,
        id: &str,
        value: &[u8],
        deadline: Option<Expiry>,
        condition: Option<Condition>,
    ) -> Result<bool> {
        let mut item = json!({ "id": { "S": id }, "value": binary(value) });
        if let Some(deadline) = deadline {
            item["expires"] = seconds(deadline);
            item["deadline"] = milliseconds(deadline);
        }
        let body = on_condition(json!({ "Item": item }), condition);
        Ok(self.call("PutItem", body).await?.is_some())
    }

    /// Removes an item and says whether there was one that lived; `None` where the condition does not hold.
    pub(super) async fn delete(
        &self,
        id: &str,
        condition: Option<Condition>,
    ) -> Result<Option<bool>> {
        let body = json!({ "Key": key(id), "ReturnValues": "ALL_OLD" });
        let answer = self.call("DeleteItem", on_condition(body, condition)).await?;
        let lived = |item: &Map<String, Value>| !deadline(item).is_some_and(Expiry::has_passed);
        Ok(answer.map(|answer| answer["Attributes"].as_object().is_some_and(lived)))
    }

    /// Moves the deadline of an item that lives; false where there is none.
    pub(super) async fn extend(&self, id: &str, deadline: Option<Expiry>) -> Result<bool> {
        let condition = Condition::new(format!("attribute_exists(#id) AND {LIVES}"));
        let mut body = on_condition(json!({ "Key": key(id) }), Some(condition));
        body["UpdateExpression"] = match deadline {
            None => json!("REMOVE #expires, #deadline"),
            Some(deadline) => {
                body["ExpressionAttributeValues"][":expires"] = seconds(deadline);
                body["ExpressionAttributeValues"][":deadline"] = milliseconds(deadline);
                json!("SET #expires = :expires, #deadline = :deadline")
            }
        };
        Ok(self.call("UpdateItem", body).await?.is_some())
    }

    /// The names of the items that the filter wants, after the one named `last`.
    pub(super) async fn scan(&self, filter: Condition, last: Option<&str>) -> Result<Page> {
        let mut body = expression(json!({}), "FilterExpression", filter);
        body["ConsistentRead"] = json!(true);
        body["ProjectionExpression"] = json!("#id");
        if let Some(last) = last {
            body["ExclusiveStartKey"] = key(last);
        }
        let answer = self.call("Scan", body).await?.unwrap_or_default();
        serde_json::from_value(answer).map_err(|error| unreadable(NAME, "its page of items", error))
    }

    /// Makes the table where it is missing, and waits until it can be used.
    pub(super) async fn create(&self) -> Result<()> {
        let body = json!({
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let is_new = self.call("CreateTable", body).await?.is_some();
        for _ in 0..LOOKS {
            let answer = self.call("DescribeTable", json!({})).await?.unwrap_or_default();
            if answer["Table"]["TableStatus"] == "ACTIVE" {
                if is_new {
                    self.free_what_expires().await;
                }
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::new(ErrorKind::Timeout, "the new table cannot be used yet").with_driver(NAME))
    }

    async fn free_what_expires(&self) {
        let specification = json!({ "AttributeName": "expires", "Enabled": true });
        let body = json!({ "TimeToLiveSpecification": specification });
        if let Err(error) = self.call("UpdateTimeToLive", body).await {
            tracing::warn!(driver = NAME, %error, "the new table will not free what expires by itself");
        }
    }

    /// Calls an operation on the table; `None` where a condition does not hold.
    async fn call(&self, operation: &str, mut body: Value) -> Result<Option<Value>> {
        body["TableName"] = json!(self.name);
        name_attributes(&mut body);
        let request: Request = http::Request::post(&self.uri)
            .header(CONTENT_TYPE, JSON)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(body.to_string().into())
            .map_err(|error| {
                Error::new(ErrorKind::Other, "no such request can be made")
                    .with_driver(NAME)
                    .with_unapplied(true)
                    .with_source(error)
            })?;
        let response = self.aws.send(request).await?;
        if response.status() == StatusCode::OK {
            let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
            if !kind.is_some_and(|kind| kind.starts_with(JSON.as_bytes())) {
                let message = "what answers is not DynamoDB; is a proxy in between?";
                return Err(Error::new(ErrorKind::Unavailable, message).with_driver(NAME));
            }
            let answer = serde_json::from_slice(response.body());
            return answer.map(Some).map_err(|error| unreadable(NAME, "its answer", error));
        }
        match name(&response).as_deref() {
            Some("ConditionalCheckFailedException") => Ok(None),
            // Somebody else has made the table.
            Some("ResourceInUseException") if operation == "CreateTable" => Ok(None),
            _ => Err(failure(&response, &self.name)),
        }
    }
}

/// A condition, which speaks of the moment as `:now`, and may speak of one value more.
pub(super) struct Condition {
    expression: String,
    value: Option<(&'static str, Value)>,
}

impl Condition {
    pub(super) fn new(expression: impl Into<String>) -> Condition {
        Condition { expression: expression.into(), value: None }
    }

    /// With the bytes of `:seen`.
    pub(super) fn seen(self, value: &[u8]) -> Condition {
        Condition { value: Some((":seen", binary(value))), ..self }
    }

    /// With the text of `:prefix`.
    pub(super) fn prefix(self, prefix: &str) -> Condition {
        Condition { value: Some((":prefix", json!({ "S": prefix }))), ..self }
    }
}

fn on_condition(body: Value, condition: Option<Condition>) -> Value {
    match condition {
        None => body,
        Some(condition) => expression(body, "ConditionExpression", condition),
    }
}

fn expression(mut body: Value, what: &str, condition: Condition) -> Value {
    body["ExpressionAttributeValues"] = json!({ ":now": milliseconds(Expiry::now()) });
    if let Some((name, value)) = condition.value {
        body["ExpressionAttributeValues"][name] = value;
    }
    body[what] = json!(condition.expression);
    body
}

/// Says what the names in the expressions stand for, and no other: DynamoDB would refuse it.
fn name_attributes(body: &mut Value) {
    let expressions: Vec<&str> =
        body.as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str()).collect();
    let is_used = |name: &str| expressions.iter().any(|text| text.contains(name));
    let names: Map<String, Value> = NAMES
        .iter()
        .filter(|(name, _)| is_used(name))
        .map(|(name, attribute)| ((*name).to_owned(), json!(attribute)))
        .collect();
    if !names.is_empty() {
        body["ExpressionAttributeNames"] = names.into();
    }
}

fn key(id: &str) -> Value {
    json!({ "id": { "S": id } })
}

fn binary(bytes: &[u8]) -> Value {
    json!({ "B": BASE64.encode(bytes) })
}

/// The type of a request and of its answer. An empty object, which others answer too, is here that something was done, or
/// that there is nothing.
const JSON: &str = "application/x-amz-json-1.0";

/// What DynamoDB's own expiry looks at.
fn seconds(deadline: Expiry) -> Value {
    json!({ "N": deadline.seconds().to_string() })
}

fn milliseconds(deadline: Expiry) -> Value {
    json!({ "N": deadline.to_string() })
}

fn deadline(item: &Map<String, Value>) -> Option<Expiry> {
    text(item, "deadline", "N").and_then(Expiry::read)
}

/// An attribute of this type.
fn text<'a>(item: &'a Map<String, Value>, attribute: &str, kind: &str) -> Option<&'a str> {
    item.get(attribute)?.get(kind)?.as_str()
}
