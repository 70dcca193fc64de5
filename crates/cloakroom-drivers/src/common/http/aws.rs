//! Amazon's stores, and those that speak as they do: where the credentials come from, and how a request is signed.

use std::env;

use http::HeaderValue;
use reqsign_aws_v4::{
    Credential, DefaultCredentialProvider, RequestSigner, StaticCredentialProvider,
};
use reqsign_core::time::Timestamp;

use super::credentials::{Credentials, Ending, SearchError};
use super::{Client, Request, Response, sources};
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// The credentials that a configuration gives, if it does.
#[derive(Default)]
pub(crate) struct Keys<'a> {
    pub(crate) access_key_id: Option<&'a str>,
    pub(crate) secret_access_key: Option<&'a str>,
    pub(crate) session_token: Option<&'a str>,
}

/// Signs requests by Amazon's signature of version 4, and sends them.
#[derive(Debug)]
pub(crate) struct Aws {
    driver: &'static str,
    client: Client,
    credentials: Credentials<Credential>,
    code: Code,
}

/// How a service's answer says what it refuses for, such as `ExpiredToken`.
pub(crate) type Code = fn(&Response) -> Option<String>;

/// What services say of credentials that have ended, or that count no more: nothing was carried out.
const REFUSALS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

impl Ending for Credential {
    fn end(&self) -> Option<Timestamp> {
        self.expires_in
    }

    fn is_same(&self, other: &Credential) -> bool {
        let Credential { access_key_id, secret_access_key, session_token, .. } = self;
        *access_key_id == other.access_key_id
            && *secret_access_key == other.secret_access_key
            && *session_token == other.session_token
    }
}

impl Aws {
    /// A client of the service. Without keys, credentials are found as Amazon's own clients find them: in the environment,
    /// in a profile, by a web identity, of the container or of the machine; and are found anew before they end, or when the
    /// service refuses them.
    ///
    /// # Errors
    /// With [`InvalidOptions`](ErrorKind::InvalidOptions) when there is half a key.
    pub(crate) fn new(
        driver: &'static str,
        service: &str,
        region: &str,
        keys: &Keys<'_>,
        code: Code,
    ) -> Result<Aws> {
        let client = Client::new(driver)?;
        let context = sources::context(client.clone());
        let request = RequestSigner::new(service, region);
        let credentials = match (keys.access_key_id, keys.secret_access_key) {
            (Some(id), Some(secret)) if !id.is_empty() && !secret.is_empty() => {
                let mut given = StaticCredentialProvider::new(id, secret);
                if let Some(token) = keys.session_token {
                    given = given.with_session_token(token);
                }
                Credentials::new(context, given, request)
            }
            (None, None) if keys.session_token.is_none() => {
                // A process that is to be started for credentials is the one source that is not asked.
                let found = DefaultCredentialProvider::builder().no_process().build();
                Credentials::new(context, found, request)
            }
            _ => {
                let message =
                    "`accessKeyId` and `secretAccessKey` belong together, and neither may be empty";
                return Err(options::invalid(driver, message));
            }
        };
        Ok(Aws { driver, client, credentials, code })
    }

    /// Signs the request with its body, sends it, and waits for the whole answer. Where the credentials are refused, it is
    /// sent once more with others, if there are any by now.
    ///
    /// # Errors
    /// When there are no credentials, and as [`Client::send`].
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let current = self.credentials.current().await;
        let credential = current.map_err(|error| self.without_credentials(error))?;
        let response = self.send_as(&credential, request.clone()).await?;
        let is_refused = response.status().is_client_error()
            && (self.code)(&response).is_some_and(|code| REFUSALS.contains(&&*code));
        if !is_refused {
            return Ok(response);
        }
        let others = self.credentials.instead_of(&credential).await;
        match others.map_err(|error| self.without_credentials(error))? {
            Some(other) => self.send_as(&other, request).await,
            None => Ok(response),
        }
    }

    async fn send_as(&self, credential: &Credential, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let digest = reqsign_core::hash::hex_sha256(&body);
        let digest = HeaderValue::try_from(digest).map_err(|error| self.unsigned(error))?;
        parts.headers.insert("x-amz-content-sha256", digest);
        let signed = self.credentials.sign(&mut parts, credential).await;
        signed.map_err(|error| self.without_credentials(error))?;
        self.client.send(Request::from_parts(parts, body)).await
    }

    /// The service that gives credentials is away, or there are none.
    fn without_credentials(&self, error: SearchError) -> Error {
        if error.is_retryable() {
            let message = "the service that gives credentials did not answer";
            return Error::new(ErrorKind::Unavailable, message)
                .with_driver(self.driver)
                .with_unapplied(true)
                .with_source(error);
        }
        self.unsigned(error)
    }

    fn unsigned(&self, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = "there are no credentials to sign with; give `accessKeyId` and `secretAccessKey`, AWS's \
                       environment variables, a profile or a role";
        Error::new(ErrorKind::PermissionDenied, message)
            .with_driver(self.driver)
            .with_unapplied(true)
            .with_source(error)
    }
}

/// The region that the configuration names, or the environment.
///
/// # Errors
/// With [`InvalidOptions`](ErrorKind::InvalidOptions) when neither does.
pub(crate) fn region(driver: &'static str, option: Option<String>) -> Result<String> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let region = option.or_else(|| named.iter().find_map(|name| env::var(name).ok()));
    region.filter(|region| !region.is_empty()).ok_or_else(|| {
        options::invalid(
            driver,
            "option `region` is missing, and so is AWS_REGION in the environment",
        )
    })
}
