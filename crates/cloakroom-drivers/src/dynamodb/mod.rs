//! `dynamodb`: a table of Amazon's DynamoDB. unstorage has no such driver; the layout and the options are ours.
//!
//! # Layout
//! An item is an item of the table, with the attributes `id` (a string: the key, after `base:` where there is a base), `value`
//! (binary) and, where it has a deadline, `deadline` (a number: milliseconds since 1970, by the clocks of those who write)
//! and `expires` (the same in whole seconds, for DynamoDB's own expiry).
//!
//! # Expiry
//! DynamoDB frees items by itself, some time after their second has passed, once that is switched on for the attribute
//! `expires`. Until it comes to it, an item that has expired reads as missing here. Where it is not switched on, say
//! `sweep: true`; a sweep reads the whole table.
//!
//! # Compare and swap
//! The stored bytes are compared, by DynamoDB, in the request that writes; whoever else writes is seen as well. Reads are
//! consistent.
//!
//! # Permissions
//! `dynamodb:GetItem`, `PutItem`, `UpdateItem` and `DeleteItem`; `Scan` to list the keys or to sweep; and for `createTable`,
//! `CreateTable`, `DescribeTable` and `UpdateTimeToLive`.

mod failure;
mod table;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::base::beginning_of_names;
use crate::common::capabilities::SWEPT;
use crate::common::http::{Address, Aws, Expiry, Keys, region};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, Version, When, options,
};
use table::{Condition, LIVES, Table};

const NAME: &str = "dynamodb";

/// The longest value: of the 400 KB that DynamoDB gives an item, all but what its key and the names and the numbers beside
/// it may take.
const LONGEST_VALUE: usize = 400 * 1024 - 2048;

/// Items as items of a table.
///
/// ```no_run
/// use cloakroom_drivers::dynamodb::{DynamoDb, Options};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let mut options = Options::new("sessions");
/// options.region = Some("eu-central-1".into());
/// let store = DynamoDb::new(options).await?;
/// # Ok(())
/// # }
/// ```
pub struct DynamoDb {
    table: Table,
    /// What the items' names begin with: the base and a `:`, or nothing.
    base: String,
    sweep: bool,
    /// The last item that the sweep has looked at.
    swept: Mutex<Option<String>>,
}

/// The options of `dynamodb`, all of them ours.
///
/// Without keys, credentials are found as Amazon's own clients find them: in the environment, in a profile, by a web
/// identity, of the container or of the machine.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The ID of the key that requests are signed with, which goes with `secretAccessKey`.
    pub access_key_id: Option<String>,
    /// The key that requests are signed with.
    pub secret_access_key: Option<String>,
    /// The token that belongs to the keys where they are temporary.
    pub session_token: Option<String>,
    /// The URL of the service, Amazon's in the region by default.
    pub endpoint: Option<String>,
    /// The region; by default the environment's `AWS_REGION` or `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// The table. Its key has to be the string `id`, alone.
    pub table: String,
    /// What the items' names begin with, nothing by default.
    #[serde(default)]
    pub base: String,
    /// Whether to make the table where it is missing, paid by request and with its expiry on; `false` by default.
    #[serde(default)]
    pub create_table: bool,
    /// Whether expired items have to be looked for, because the table's own expiry is not on; `false` by default.
    #[serde(default)]
    pub sweep: bool,
}

impl Options {
    /// The default options for this table.
    pub fn new(table: impl Into<String>) -> Options {
        Options {
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            endpoint: None,
            region: None,
            table: table.into(),
            base: String::new(),
            create_table: false,
            sweep: false,
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the keys, and the URL, where a password may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("region", &self.region)
            .field("table", &self.table)
            .field("base", &self.base)
            .field("create_table", &self.create_table)
            .field("sweep", &self.sweep)
            .finish_non_exhaustive()
    }
}

impl DynamoDb {
    /// A store in a table, of which nothing is asked yet, unless it is to be made.
    ///
    /// # Errors
    /// With [`InvalidOptions`](ErrorKind::InvalidOptions) when an option is impossible, and when the table cannot be made.
    pub async fn new(options: Options) -> Result<DynamoDb> {
        let region = region(NAME, options.region)?;
        let endpoint =
            options.endpoint.unwrap_or_else(|| format!("https://dynamodb.{region}.amazonaws.com"));
        let endpoint = Address::new(NAME, "endpoint", &endpoint)?;
        if options.table.is_empty() {
            return Err(options::invalid(NAME, "option `table`: it must be a table's name"));
        }
        let base = beginning_of_names(NAME, &options.base)?;
        let keys = Keys {
            access_key_id: options.access_key_id.as_deref(),
            secret_access_key: options.secret_access_key.as_deref(),
            session_token: options.session_token.as_deref(),
        };
        let aws = Aws::new(NAME, "dynamodb", &region, &keys, failure::name)?;
        let table = Table::new(aws, &endpoint, options.table)?;
        if options.create_table {
            table.create().await.map_err(during(Operation::Open))?;
        }
        Ok(DynamoDb { table, base, sweep: options.sweep, swept: Mutex::default() })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`DynamoDb::new`], also when an option is unknown.
    pub async fn open(options: &Map<String, Value>) -> Result<DynamoDb> {
        DynamoDb::new(options::parse(NAME, options)?).await
    }

    fn id(&self, key: &ItemKey) -> String {
        format!("{}{}", self.base, key.as_str())
    }

    /// The item of this name, if it is one: another name cannot be asked for.
    fn key_of(&self, id: &str) -> Option<ItemKey> {
        let name = id.strip_prefix(&self.base)?;
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }

    async fn read(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let row = self.table.get(&self.id(key)).await?.filter(|row| !row.has_expired());
        Ok(row.map(|row| {
            let item = Item::new(row.value.clone(), row.value);
            (item, row.deadline.map(Expiry::remaining))
        }))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if value.len() > LONGEST_VALUE {
            let message = format!("DynamoDB takes values of at most {LONGEST_VALUE} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message).with_unapplied(true));
        }
        let condition = match &when {
            When::Always => None,
            When::Absent => Some(Condition::new("attribute_not_exists(#id) OR #deadline <= :now")),
            When::Version(version) => match is_still(version) {
                None => return Ok(SetOutcome::Conflict),
                condition => condition,
            },
        };
        let deadline = Expiry::after(ttl);
        Ok(match self.table.put(&self.id(key), &value, deadline, condition).await? {
            true => SetOutcome::Written { version: value.into() },
            false => SetOutcome::Conflict,
        })
    }

    async fn delete(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let id = self.id(key);
        let condition = match &when {
            When::Version(version) => is_still(version),
            _ => None,
        };
        let is_impossible = condition.is_none() && when != When::Always;
        if !is_impossible && let Some(lived) = self.table.delete(&id, condition).await? {
            return Ok(if lived { RemoveOutcome::Removed } else { RemoveOutcome::Missing });
        }
        let lives = self.table.get(&id).await?.is_some_and(|row| !row.has_expired());
        Ok(if lives { RemoveOutcome::Conflict } else { RemoveOutcome::Missing })
    }

    /// Looks at one page, and frees what has expired in it.
    async fn sweep_page(&self, budget: usize) -> Result<Swept> {
        let last = self.swept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let page = self.table.scan(Condition::new("#deadline <= :now"), last.as_deref()).await?;
        let mut next = page.next();
        let mut swept =
            Swept { examined: page.scanned_count, finished: next.is_none(), removed: 0 };
        for id in page.ids() {
            if swept.removed == budget {
                // The next call looks at the same page again.
                (next, swept.finished) = (last, false);
                break;
            }
            // What was written or touched since stays.
            let expired = Some(Condition::new("#deadline <= :now"));
            let removed = self.table.delete(id, expired).await?;
            swept.removed += usize::from(removed.is_some());
        }
        *self.swept.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(swept)
    }
}

/// The condition that the item is there with the bytes of this version; `None` for a version that is not of ours.
fn is_still(version: &Version) -> Option<Condition> {
    let seen = version.as_bytes()?;
    Some(Condition::new(format!("#value = :seen AND {LIVES}")).seen(seen))
}

/// Names the driver and the operation.
fn during(operation: Operation) -> impl Fn(Error) -> Error {
    move |error| error.with_driver(NAME).with_operation(operation)
}

/// Names the item too.
fn on_item(operation: Operation, key: &ItemKey) -> impl Fn(Error) -> Error + '_ {
    move |error| during(operation)(error).with_key(key)
}

#[async_trait]
impl Driver for DynamoDb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn system(&self) -> &'static str {
        "aws.dynamodb"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { longest_value: Some(LONGEST_VALUE), native_ttl: !self.sweep, ..SWEPT }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.read(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.write(key, value, when, ttl).await.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        self.delete(key, when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let deadline = Expiry::after(ttl);
        self.table.extend(&self.id(key), deadline).await.map_err(on_item(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = format!("{}{prefix}", self.base);
        stream::try_unfold(Some(None::<String>), move |last| {
            let prefix = prefix.clone();
            async move {
                let Some(last) = last else { return Ok(None) };
                let page = self.table.scan(named(&prefix), last.as_deref()).await?;
                let keys: Vec<_> = page.ids().filter_map(|id| self.key_of(id)).map(Ok).collect();
                Ok(Some((stream::iter(keys), page.next().map(Some))))
            }
        })
        .try_flatten()
        .map_err(during(Operation::Keys))
        .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        match self.sweep {
            true => self.sweep_page(budget).await.map_err(during(Operation::Sweep)),
            false => Ok(Swept { finished: true, ..Swept::default() }),
        }
    }
}

/// The items that live and whose names begin so.
fn named(prefix: &str) -> Condition {
    match prefix {
        "" => Condition::new(LIVES),
        prefix => Condition::new(format!("begins_with(#id, :prefix) AND {LIVES}")).prefix(prefix),
    }
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb")
            .field("table", &self.table)
            .field("base", &self.base)
            .field("sweep", &self.sweep)
            .finish_non_exhaustive()
    }
}
