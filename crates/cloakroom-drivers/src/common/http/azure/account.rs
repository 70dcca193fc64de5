//! Accounts of Azure Storage: where they are, and how they let us in.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Key, date};
use crate::common::http::{Address, Request, Secret};
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// The account of every emulator, as Microsoft has published it.
const EMULATOR: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The two services that keep sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Blob,
    Table,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Service::Blob => "blob",
            Service::Table => "table",
        }
    }

    fn emulator(self) -> String {
        let port = match self {
            Service::Blob => 10_000,
            Service::Table => 10_002,
        };
        format!("http://127.0.0.1:{port}/{EMULATOR}")
    }
}

/// What the options say of an account.
#[derive(Default)]
pub(crate) struct Given<'a> {
    pub(crate) account_name: Option<&'a str>,
    pub(crate) account_key: Option<&'a str>,
    pub(crate) sas_key: Option<&'a str>,
    pub(crate) sas_url: Option<&'a str>,
    pub(crate) connection_string: Option<&'a str>,
    pub(crate) endpoint_suffix: Option<&'a str>,
}

/// One of an account's services.
#[derive(Debug)]
pub(crate) struct Account {
    driver: &'static str,
    service: Service,
    address: Address,
    credential: Credential,
}

#[derive(Debug)]
enum Credential {
    Key { account: String, key: Key },
    Signature(Secret),
}

impl Account {
    /// The first that is given of: a key, a URL with a shared access signature, such a signature, a connection string;
    /// in unstorage's order.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions).
    pub(crate) fn new(
        driver: &'static str,
        service: Service,
        given: &Given<'_>,
    ) -> Result<Account> {
        let usual = || {
            let name = given.account_name.ok_or_else(|| {
                options::invalid(
                    driver,
                    "option `accountName` is missing, the account of Azure Storage",
                )
            })?;
            let usual = format!(".{}.core.windows.net", service.name());
            let suffix = given.endpoint_suffix.unwrap_or(&usual);
            let address = Address::new(driver, "accountName", &format!("https://{name}{suffix}"))?;
            Ok::<_, Error>((name.to_owned(), address))
        };
        let (address, credential) = if let Some(key) = given.account_key {
            let key = Key::new(driver, "accountKey", key)?;
            let (account, address) = usual()?;
            (address, Credential::Key { account, key })
        } else if let Some(url) = given.sas_url {
            let (address, signature) = url.split_once('?').ok_or_else(|| {
                options::invalid(driver, "option `sasUrl` has no signature: there is no `?` in it")
            })?;
            (Address::new(driver, "sasUrl", address)?, signature_of(signature))
        } else if let Some(signature) = given.sas_key {
            (usual()?.1, signature_of(signature))
        } else if let Some(text) = given.connection_string {
            connected(driver, service, text)?
        } else {
            // DIFFERENCE: JavaScript tries every identity that `@azure/identity` knows.
            let message = "there are no credentials: set `accountKey`, `sasKey` or `connectionString` (managed \
                 identities and `az login`, which JavaScript falls back on, are not available here)";
            return Err(options::invalid(driver, message));
        };
        Ok(Account { driver, service, address, credential })
    }

    /// Where the service is.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// A request that is signed. `path` begins with `/`, and so does `query` with `?` where there is one; both are encoded.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        query: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Request> {
        let mut uri = format!("{path}{query}");
        if let Credential::Signature(signature) = &self.credential {
            uri.push(if query.is_empty() { '?' } else { '&' });
            uri.push_str(signature.expose());
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.address.uri(self.driver, &uri)?;
        let length = HeaderValue::from(request.body().len());
        let all: &mut HeaderMap = request.headers_mut();
        all.extend(headers.iter().cloned());
        all.insert("x-ms-date", self.header(&date(self.driver)?)?);
        all.insert(CONTENT_LENGTH, length);
        if let Credential::Key { account, key } = &self.credential {
            let mut authorization = self.header(&match self.service {
                Service::Blob => key.shared_key(account, &request),
                Service::Table => key.shared_key_lite(account, &request),
            })?;
            authorization.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }

    fn header(&self, text: &str) -> Result<HeaderValue> {
        HeaderValue::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Other, "a header cannot have what it should say")
                .with_driver(self.driver)
                .with_unapplied(true)
                .with_source(error)
        })
    }
}

fn signature_of(text: &str) -> Credential {
    Credential::Signature(Secret::from(text.trim_start_matches('?').to_owned()))
}

/// Reads a [connection string](https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string).
fn connected(driver: &'static str, service: Service, text: &str) -> Result<(Address, Credential)> {
    const OPTION: &str = "connectionString";
    let fields: HashMap<String, &str> = text
        .split(';')
        .filter_map(|field| field.trim().split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let field = |name: &str| fields.get(name).copied();
    let missing =
        |what: &str| options::invalid(driver, format!("option `{OPTION}`: it has no `{what}`"));
    if field("usedevelopmentstorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let key = Key::new(driver, OPTION, EMULATOR_KEY)?;
        let address = Address::new(driver, OPTION, &service.emulator())?;
        return Ok((address, Credential::Key { account: EMULATOR.to_owned(), key }));
    }
    let address = match field(&format!("{}endpoint", service.name())) {
        Some(endpoint) => endpoint.to_owned(),
        None => {
            let name = field("accountname").ok_or_else(|| missing("AccountName"))?;
            let protocol = field("defaultendpointsprotocol").unwrap_or("https");
            let suffix = field("endpointsuffix").unwrap_or("core.windows.net");
            format!("{protocol}://{name}.{}.{suffix}", service.name())
        }
    };
    let address = Address::new(driver, OPTION, &address)?;
    let credential = match (field("accountkey"), field("sharedaccesssignature")) {
        (Some(key), _) => Credential::Key {
            account: field("accountname").ok_or_else(|| missing("AccountName"))?.to_owned(),
            key: Key::new(driver, OPTION, key)?,
        },
        (None, Some(signature)) => signature_of(signature),
        (None, None) => return Err(missing("AccountKey")),
    };
    Ok((address, credential))
}
