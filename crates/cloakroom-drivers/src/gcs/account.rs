//! Who we are to Google, and how it is told.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, ProvideCredential};
use reqsign_google::{
    Credential, DefaultCredentialProvider, FileCredentialProvider, RequestSigner,
    ServiceAccountTokenCredentialProvider, StaticCredentialProvider,
};
use serde_json::{Map, Value};

use super::NAME;
use crate::common::http::credentials::{Credentials, Ending, SearchError};
use crate::common::http::{Client, Request, Response, sources};
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// Sends requests as the account, or as nobody.
#[derive(Debug)]
pub(super) struct Account {
    client: Client,
    credentials: Option<Credentials<Credential>>,
}

impl Ending for Credential {
    fn end(&self) -> Option<Timestamp> {
        self.token.as_ref()?.expires_at
    }

    fn is_same(&self, other: &Credential) -> bool {
        let token = |of: &Credential| of.token.as_ref().map(|token| token.access_token.clone());
        token(self) == token(other)
    }
}

impl Account {
    /// The account whose credentials these are, in JSON or in a file; without any, the one that Google's own clients find.
    ///
    /// # Errors
    /// With [`InvalidOptions`](ErrorKind::InvalidOptions) when they cannot be credentials.
    pub(super) fn new(given: Option<&str>) -> Result<Account> {
        let source = match given {
            None => Source::Found(DefaultCredentialProvider::new()),
            Some(json) if json.trim_start().starts_with('{') => {
                // The cause could show a part of them.
                if serde_json::from_str::<Map<String, Value>>(json).is_err() {
                    return Err(options::invalid(NAME, "option `credentials` is no JSON"));
                }
                Source::Json(StaticCredentialProvider::new(json))
            }
            Some(path) => Source::File(FileCredentialProvider::new(path)),
        };
        let client = Client::new(NAME)?;
        let context = sources::context(client.clone());
        Ok(Account { client, credentials: Some(credentials(context, source)) })
    }

    /// Nobody in particular, which is enough for an emulator.
    pub(super) fn nobody() -> Result<Account> {
        Ok(Account { client: Client::new(NAME)?, credentials: None })
    }

    /// Sends the request and waits for the whole answer. Where the token is refused, it is sent once more with another one,
    /// if there is any by now.
    ///
    /// # Errors
    /// When there are no credentials, and as [`Client::send`].
    pub(super) async fn send(&self, request: Request) -> Result<Response> {
        let Some(credentials) = &self.credentials else { return self.client.send(request).await };
        let credential = credentials.current().await.map_err(unsigned)?;
        let response = self.send_as(credentials, &credential, request.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match credentials.instead_of(&credential).await.map_err(unsigned)? {
            Some(other) => self.send_as(credentials, &other, request).await,
            None => Ok(response),
        }
    }

    async fn send_as(
        &self,
        credentials: &Credentials<Credential>,
        credential: &Arc<Credential>,
        request: Request,
    ) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        credentials.sign(&mut parts, credential).await.map_err(unsigned)?;
        self.client.send(Request::from_parts(parts, body)).await
    }
}

fn credentials(context: Context, source: Source) -> Credentials<Credential> {
    Credentials::new(context, Tokens(source), RequestSigner::new("storage"))
}

fn unsigned(error: SearchError) -> Error {
    let kind = match error.is_retryable() {
        true => ErrorKind::Unavailable,
        false => ErrorKind::PermissionDenied,
    };
    let message = "no token was given to us; are the `credentials`, or those that Google's own clients find, right, and \
                   can the service that gives tokens for them be reached?";
    Error::new(kind, message).with_driver(NAME).with_unapplied(true).with_source(error)
}

/// Where credentials are.
enum Source {
    Json(StaticCredentialProvider),
    File(FileCredentialProvider),
    Found(DefaultCredentialProvider),
}

/// Gives tokens, which are kept while they are good. A service account's key would make the signer ask for one with each
/// request.
struct Tokens(Source);

impl ProvideCredential for Tokens {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let found = match &self.0 {
            Source::Json(source) => source.provide_credential(context).await?,
            Source::File(source) => source.provide_credential(context).await?,
            Source::Found(source) => source.provide_credential(context).await?,
        };
        match found {
            Some(Credential { service_account: Some(account), token: None, .. }) => {
                let tokens = ServiceAccountTokenCredentialProvider::new(account);
                tokens.provide_credential(context).await
            }
            found => Ok(found),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqsign_core::{HttpSend, StaticEnv};
    use serde_json::json;

    use super::*;

    /// Answers as the service that gives tokens, and counts how often it was asked. It has one address, Google's.
    #[derive(Clone, Debug, Default)]
    struct Giver(Arc<AtomicUsize>);

    impl HttpSend for Giver {
        async fn http_send(&self, request: Request) -> reqsign_core::Result<Response> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            assert_eq!(request.uri(), "https://oauth2.googleapis.com/token");
            let answer = json!({ "access_token": format!("token-{number}"), "expires_in": 3600 });
            Ok(Response::new(answer.to_string().into()))
        }
    }

    /// A service account's credentials, with a key that was just made.
    fn service_account() -> String {
        let made = Command::new("openssl")
            .args(["genpkey", "-algorithm", "RSA"])
            .output()
            .expect("openssl is installed");
        let key = String::from_utf8(made.stdout).expect("a key is text");
        let email = "somebody@project.iam.gserviceaccount.com";
        json!({ "type": "service_account", "client_email": email, "private_key": key }).to_string()
    }

    #[tokio::test]
    async fn a_service_account_asks_for_one_token_for_many_requests() {
        let account = service_account();
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &account).expect("it can be written to");
        let path = file.path().to_str().expect("its name is text");
        let variable = ("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), path.to_owned());
        let env = StaticEnv { home_dir: None, envs: HashMap::from([variable]) };
        for source in [
            Source::Json(StaticCredentialProvider::new(account)),
            Source::File(FileCredentialProvider::new(path)),
            Source::Found(DefaultCredentialProvider::new()),
        ] {
            let giver = Giver::default();
            let context = sources::context(Client::new(NAME).expect("a client"));
            let context = context.with_env(env.clone()).with_http_send(giver.clone());
            let credentials = credentials(context, source);
            for _ in 0..3 {
                let uri = "https://storage.googleapis.com/storage/v1/b/a/o/b%3Ac%2F?alt=media";
                let request = http::Request::get(uri).body(()).expect("a request");
                let (mut parts, ()) = request.into_parts();
                let credential = credentials.current().await.expect("a token");
                credentials.sign(&mut parts, &credential).await.expect("signed");
                assert_eq!(parts.headers["authorization"], "Bearer token-0");
                assert_eq!(parts.uri, uri);
            }
            assert_eq!(giver.0.load(Ordering::Relaxed), 1);
        }
    }
}
