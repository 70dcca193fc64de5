//! Amazon's stores, and those that speak as they do: where the credentials come from, and how a request is signed.

use std::env;

use http::HeaderValue;
use reqsign_aws_v4::{
    Credential, DefaultCredentialProvider, RequestSigner, StaticCredentialProvider,
};
use reqsign_core::Signer;

use super::{Client, Request, Response, Secret, credentials};
use crate::{Error, ErrorKind, Result, options};

/// The credentials that a configuration gives, if it does.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) access_key_id: Option<Secret>,
    pub(crate) secret_access_key: Option<Secret>,
    pub(crate) session_token: Option<Secret>,
}

/// Signs requests by Amazon's signature of version 4, and sends them.
#[derive(Debug)]
pub(crate) struct Aws {
    driver: &'static str,
    client: Client,
    signer: Signer<Credential>,
}

impl Aws {
    /// A client of the service. Without keys, credentials are found as Amazon's own clients find them: in the environment,
    /// in a profile, by a web identity, of the container or of the machine; and are found anew before they expire.
    ///
    /// # Errors
    /// With [`InvalidOptions`](ErrorKind::InvalidOptions) when there is half a key.
    pub(crate) fn new(
        driver: &'static str,
        service: &str,
        region: &str,
        keys: &Keys,
    ) -> Result<Aws> {
        let client = Client::new(driver)?;
        let context = credentials::context(client.clone());
        let request = RequestSigner::new(service, region);
        let signer = match (&keys.access_key_id, &keys.secret_access_key) {
            (Some(id), Some(secret)) if !id.expose().is_empty() && !secret.expose().is_empty() => {
                let mut given = StaticCredentialProvider::new(id.expose(), secret.expose());
                if let Some(token) = &keys.session_token {
                    given = given.with_session_token(token.expose());
                }
                Signer::new(context, given, request)
            }
            (None, None) if keys.session_token.is_none() => {
                // A process that is to be started for credentials is the one source that is not asked.
                let found = DefaultCredentialProvider::builder().no_process().build();
                Signer::new(context, found, request)
            }
            _ => {
                let message =
                    "`accessKeyId` and `secretAccessKey` belong together, and neither may be empty";
                return Err(options::invalid(driver, message));
            }
        };
        Ok(Aws { driver, client, signer })
    }

    /// Signs the request with its body, sends it, and waits for the whole answer.
    ///
    /// # Errors
    /// When there are no credentials, and as [`Client::send`].
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let digest = reqsign_core::hash::hex_sha256(&body);
        let digest = HeaderValue::try_from(digest).map_err(|error| self.unsigned(error))?;
        parts.headers.insert("x-amz-content-sha256", digest);
        self.signer
            .sign(&mut parts, None)
            .await
            .map_err(|error| self.without_credentials(error))?;
        self.client.send(Request::from_parts(parts, body)).await
    }

    /// The service that gives credentials is away, or there are none.
    fn without_credentials(&self, error: reqsign_core::Error) -> Error {
        if error.is_retryable() {
            let message = "the service that gives credentials did not answer";
            return Error::new(ErrorKind::Unavailable, message)
                .with_driver(self.driver)
                .with_untouched(true)
                .with_source(error);
        }
        self.unsigned(error)
    }

    fn unsigned(&self, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = "there are no credentials to sign with; give `accessKeyId` and `secretAccessKey`, AWS's \
                       environment variables, a profile or a role";
        Error::new(ErrorKind::PermissionDenied, message)
            .with_driver(self.driver)
            .with_untouched(true)
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
