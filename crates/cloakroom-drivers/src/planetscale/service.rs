//! PlanetScale's HTTP interface to a database.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;
use url::Url;

use super::NAME;
use super::answer::{Answer, Refusal};
use crate::common::http::{Client, Secret, refusal, unreadable};
use crate::common::table::{Arguments, Dialect, Executor, Meaning, Row, Statement, literal};
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// Where statements are sent.
pub(super) struct Service {
    client: Client,
    endpoint: String,
    authorization: HeaderValue,
    place: String,
}

/// Why a statement has no result.
pub(super) enum Failure {
    /// The database refused.
    Refused(Refusal),
    /// There was no answer, or none that can be read.
    Lost(Error),
}

impl Service {
    /// The service that a URL names as PlanetScale writes it: `mysql://USER:PASSWORD@HOST/DATABASE`.
    pub(super) fn new(url: &str) -> Result<Service> {
        let invalid = |reason: &str| {
            let form = "as in `mysql://user:password@aws.connect.psdb.cloud/database`";
            options::invalid(NAME, format!("option `url`: {reason}, {form}"))
        };
        if url.is_empty() {
            return Err(invalid("it is missing"));
        }
        let url: Url = url.trim().parse().map_err(|_| invalid("it must be a whole URL"))?;
        let Some(host) = url.host_str() else { return Err(invalid("it has to name a host")) };
        if url.username().is_empty() || url.password().is_none() {
            return Err(invalid("it has to have a user and a password"));
        }
        // As JavaScript does: whatever the scheme, unless it is this one; and what is encoded stays so.
        let scheme = if url.scheme() == "http" { "http" } else { "https" };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let credentials = format!("{}:{}", url.username(), url.password().unwrap_or_default());
        Ok(Service {
            client: Client::new(NAME)?,
            endpoint: format!("{scheme}://{host}{port}/psdb.v1alpha1.Database/Execute"),
            authorization: Secret::from(STANDARD.encode(credentials)).header(NAME, "Basic")?,
            place: format!("PlanetScale at {host}{port}"),
        })
    }

    async fn send(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<Answer, Failure> {
        // No session: each statement stands for itself.
        let body = json!({ "query": literal::written(statement, arguments), "session": null });
        let request = http::Request::post(&self.endpoint)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|error| Failure::Lost(unreadable(NAME, "the address", error)))?;
        let response = self.client.send(request).await.map_err(Failure::Lost)?;
        let answer = read(&response)?;
        match answer.error {
            Some(refusal) => Err(Failure::Refused(refusal)),
            None => Ok(answer),
        }
    }
}

fn read(response: &Response<Bytes>) -> Result<Answer, Failure> {
    let answer = serde_json::from_slice::<Answer>(response.body());
    match (response.status(), answer) {
        (StatusCode::OK, answer) => {
            answer.map_err(|error| Failure::Lost(unreadable(NAME, "the answer", error)))
        }
        // A database that refuses says so by its number; the service itself, by the status.
        (_, Ok(answer)) if answer.error.as_ref().is_some_and(|error| error.number().is_some()) => {
            Ok(answer)
        }
        (status, _) => Err(Failure::Lost(refusal(NAME, status, None))),
    }
}

/// The answer has no such part.
fn incomplete() -> Failure {
    let message = "the answer is not what PlanetScale answers; is `url` right?";
    Failure::Lost(Error::new(ErrorKind::Unavailable, message).with_retryable(false))
}

impl Executor for Service {
    type Failure = Failure;

    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    fn place(&self) -> &str {
        &self.place
    }

    /// Nobody says whether it does.
    fn counts_found_rows(&self) -> bool {
        false
    }

    async fn execute(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<u64, Failure> {
        self.send(statement, arguments).await?.rows_affected().ok_or_else(incomplete)
    }

    async fn fetch(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<Row>, Failure> {
        self.send(statement, arguments).await?.rows().ok_or_else(incomplete)
    }

    async fn look(&self, probe: &Statement) -> Result<(), Failure> {
        self.fetch(probe, &Arguments::default()).await.map(|_| ())
    }

    fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Lost(error) => error,
            Failure::Refused(refusal) => refused(&self.place, &refusal),
        }
    }

    fn is_duplicate(&self, failure: &Failure) -> bool {
        number(failure) == Some(1062)
    }

    fn is_missing_table(&self, failure: &Failure) -> bool {
        matches!(number(failure), Some(1054 | 1109 | 1146))
    }

    fn is_there_already(&self, failure: &Failure) -> bool {
        matches!(number(failure), Some(1050 | 1060 | 1061))
    }
}

fn number(failure: &Failure) -> Option<u32> {
    match failure {
        Failure::Refused(refusal) => refusal.number(),
        Failure::Lost(_) => None,
    }
}

/// The database's own words are left out: they have the statement, and with it the key.
fn refused(place: &str, refusal: &Refusal) -> Error {
    let code = refusal.code.as_str();
    if let Some(number) = refusal.number() {
        let meaning = Meaning::of_mysql(number);
        let message = format!("{place}: {} ({code}, MySQL's error {number})", meaning.advice);
        return Error::new(meaning.kind, message)
            .with_retryable(meaning.is_retryable())
            .with_unapplied(meaning.is_unapplied);
    }
    let (kind, advice) = match code {
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => (
            ErrorKind::PermissionDenied,
            "are the user and the password right, and may they do this?",
        ),
        "DEADLINE_EXCEEDED" => (ErrorKind::Timeout, "it ended a statement that took too long"),
        "ABORTED" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE" => {
            (ErrorKind::Unavailable, "it has no time for this now")
        }
        _ => (ErrorKind::Other, "the statement failed"),
    };
    let is_known = kind != ErrorKind::Other;
    let code = if is_known { format!(" ({code})") } else { String::new() };
    Error::new(kind, format!("{place}: {advice}{code}"))
        .with_unapplied(kind == ErrorKind::PermissionDenied)
}
