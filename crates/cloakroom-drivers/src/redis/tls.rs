//! The options of TLS, by Node's names.

use std::fmt;
use std::fs;

use redis::{Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, TlsCertificates};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::given::{Given, Source};
use super::options::{invalid, read};
use cloakroom_storage::Result;

/// How a connection is encrypted.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// Whether the server's certificate goes unchecked.
    pub(super) insecure: bool,
    /// What the server is checked against and what we show to it, where it is not the usual.
    pub(super) certificates: Option<TlsCertificates>,
}

/// Node's options of TLS. A certificate or key is PEM text, as in Node, or the path of a file that holds it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TlsOptions {
    /// The authorities that vouch for the server, one or several; by default the usual ones.
    pub ca: Vec<String>,
    /// The certificate that we show, with its `key`. None by default.
    pub cert: Option<String>,
    /// The certificate's key.
    pub key: Option<String>,
    /// Whether a server is refused that nobody vouches for, which is so by default.
    pub reject_unauthorized: bool,
    /// The name that the server's certificate is checked for: the host's, so that another one is an error.
    pub servername: Option<String>,
}

impl Default for TlsOptions {
    fn default() -> TlsOptions {
        TlsOptions {
            ca: vec![],
            cert: None,
            key: None,
            reject_unauthorized: true,
            servername: None,
        }
    }
}

impl Tls {
    /// What the option says; `None` for no encryption.
    pub(super) fn read(
        option: Option<&Given<TlsOptions>>,
        host: Option<&str>,
    ) -> Result<Option<Tls>> {
        let options = match option.map(Given::source) {
            None => return Ok(None),
            Some(Source::Program(options)) => TlsOptions::clone(options),
            Some(Source::Configuration(given)) => match given {
                Value::Null | Value::Bool(false) => return Ok(None),
                Value::Bool(true) => TlsOptions::default(),
                Value::Object(options) => read(with_list(options))?,
                _ => {
                    return Err(invalid(
                        "option `tls`: expected `true` or an object such as `{ ca: \"…\" }`",
                    ));
                }
            },
        };
        if options.servername.is_some() && options.servername.as_deref() != host {
            let advice = "option `servername`: name the server so in `host`, which is what its certificate is checked for";
            return Err(invalid(advice));
        }
        install_cryptography();
        let tls =
            Tls { insecure: !options.reject_unauthorized, certificates: options.certificates()? };
        // A certificate that cannot be read is found here, not at the first connection.
        tls.address("localhost".to_owned(), 0)?;
        Ok(Some(tls))
    }

    /// A server that is reached so.
    pub(super) fn address(&self, host: String, port: u16) -> Result<ConnectionAddr> {
        let address =
            ConnectionAddr::TcpTls { host, port, insecure: self.insecure, tls_params: None };
        let Some(certificates) = &self.certificates else { return Ok(address) };
        address
            .into_connection_info()
            .and_then(|info| Client::build_with_tls(info, certificates.clone()))
            .map(|client| client.get_connection_info().addr().clone())
            .map_err(|error| {
                invalid("option `tls`: a certificate or key cannot be used").with_source(error)
            })
    }
}

impl fmt::Debug for TlsOptions {
    /// Leaves out the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca)
            .field("cert", &self.cert)
            .field("reject_unauthorized", &self.reject_unauthorized)
            .field("servername", &self.servername)
            .finish_non_exhaustive()
    }
}

impl TlsOptions {
    fn certificates(&self) -> Result<Option<TlsCertificates>> {
        let authorities = self.ca.iter().map(|ca| pem("ca", ca)).collect::<Result<Vec<_>>>()?;
        let root_cert = (!authorities.is_empty()).then(|| authorities.join(&b'\n'));
        let client_tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some(ClientTlsConfig {
                client_cert: pem("cert", cert)?,
                client_key: pem("key", key)?,
            }),
            (None, None) => None,
            _ => return Err(invalid("options `cert` and `key` need each other")),
        };
        let given = root_cert.is_some() || client_tls.is_some();
        Ok(given.then_some(TlsCertificates { client_tls, root_cert }))
    }
}

/// One authority or several.
fn with_list(options: &Map<String, Value>) -> Map<String, Value> {
    let mut options = options.clone();
    if let Some(ca) = options.get_mut("ca").filter(|ca| ca.is_string()) {
        *ca = Value::Array(vec![ca.take()]);
    }
    options
}

fn pem(option: &str, text: &str) -> Result<Vec<u8>> {
    if text.contains("-----BEGIN ") {
        return Ok(text.as_bytes().to_vec());
    }
    fs::read(text).map_err(|error| {
        let message = format!("option `{option}`: neither PEM text nor a file that can be read");
        invalid(message).with_source(error)
    })
}

/// rustls asks for a choice where a program has several implementations. One that was made before stays.
fn install_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
