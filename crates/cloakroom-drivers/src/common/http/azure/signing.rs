//! How a key of an account signs a request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use crate::common::http::{Request, encoded};
use cloakroom_storage::{Error, ErrorKind, Result, options};

const PREFIX: &str = "x-ms-";

/// A key of an account.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    /// Reads a key out of the option `option`.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when it is no base64.
    pub(crate) fn new(driver: &'static str, option: &str, base64: &str) -> Result<Key> {
        let key = STANDARD.decode(base64.trim()).ok().filter(|key| !key.is_empty());
        key.and_then(|key| Hmac::new_from_slice(&key).ok().map(Key)).ok_or_else(|| {
            let message = format!("option `{option}`: the key must be base64, as Azure shows it");
            options::invalid(driver, message)
        })
    }

    fn sign(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// The `Authorization` of a request to the Blob service by
    /// [Shared Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
    pub(crate) fn shared_key(&self, account: &str, request: &Request) -> String {
        format!("SharedKey {account}:{}", self.sign(&shared_key_text(account, request)))
    }

    /// The `Authorization` of a request to the Table service by Shared Key Lite.
    pub(crate) fn shared_key_lite(&self, account: &str, request: &Request) -> String {
        let text = format!("{}\n/{account}{}", header(request, "x-ms-date"), request.uri().path());
        format!("SharedKeyLite {account}:{}", self.sign(&text))
    }

    /// The `Authorization` of a request to Cosmos DB by its
    /// [master key](https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources): of this method,
    /// to a resource of this kind, which is at this link.
    pub(crate) fn master_key(&self, method: &str, kind: &str, link: &str, date: &str) -> String {
        let text =
            format!("{}\n{kind}\n{link}\n{}\n\n", method.to_lowercase(), date.to_lowercase());
        encoded(&format!("type=master&ver=1.0&sig={}", self.sign(&text)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Now, as `x-ms-date` says it.
pub(crate) fn date(driver: &'static str) -> Result<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()).map_err(|error| {
        Error::new(ErrorKind::Other, "this machine's clock is beyond the year 9999")
            .with_driver(driver)
            .with_unapplied(true)
            .with_source(error)
    })
}

fn shared_key_text(account: &str, request: &Request) -> String {
    let standard = |name: HeaderName| header(request, name.as_str());
    let length = match request.body().len() {
        0 => String::new(),
        length => length.to_string(),
    };
    // Those between are of headers that no driver sends: languages, digests, ranges, times.
    let mut text = format!(
        "{}\n\n\n{length}\n\n{}\n\n\n{}\n{}\n\n\n",
        request.method(),
        standard(CONTENT_TYPE),
        standard(IF_MATCH),
        standard(IF_NONE_MATCH),
    );
    let mut names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    for name in names.into_iter().filter(|name| name.starts_with(PREFIX)) {
        text.push_str(&format!("{name}:{}\n", header(request, name)));
    }
    text.push_str(&format!("/{account}{}", request.uri().path()));
    let query = request.uri().query().unwrap_or_default();
    let mut pairs: Vec<(&str, &str)> =
        query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    for (name, value) in pairs {
        text.push_str(&format!("\n{name}:{}", percent_decode_str(value).decode_utf8_lossy()));
    }
    text
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! Each signature as Microsoft's own clients for JavaScript make it: `@azure/storage-blob` 12.34, `@azure/data-tables`
    //! 13.3 and `@azure/cosmos` 4.10.

    use super::*;

    const ACCOUNT: &str = "devstoreaccount1";
    const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

    fn key() -> Key {
        let key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
        Key::new("example", "accountKey", key).expect("a key")
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut builder = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:10000/devstoreaccount1/{path}"))
            .header("x-ms-date", DATE);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(body.into()).expect("a request")
    }

    #[test]
    fn a_write_of_a_blob_is_signed_with_its_headers() {
        let headers = [
            ("x-ms-version", "2021-12-02"),
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-meta-expires", "123"),
            ("if-match", "\"0x8D\""),
            // Not signed.
            ("accept", "*/*"),
        ];
        let request = request("PUT", "unstorage/a%3Ab%20c", &headers, "value");
        let expected = "SharedKey devstoreaccount1:xz6yt1khUFA75KN+vgGAy7yb5cpcxOK2K22yWtrBWSs=";
        assert_eq!(key().shared_key(ACCOUNT, &request), expected);
    }

    #[test]
    fn a_list_of_blobs_is_signed_with_its_query() {
        let path = "unstorage?restype=container&comp=list&include=metadata&prefix=a%3Ab%26";
        let request = request("GET", path, &[("x-ms-version", "2021-12-02")], "");
        let expected = "SharedKey devstoreaccount1:idsxR3+zWOmqQHpfzFaPlBGDVJY4lSWBxen2Xbsdt3g=";
        assert_eq!(key().shared_key(ACCOUNT, &request), expected);
    }

    #[test]
    fn an_entity_is_signed_with_its_path() {
        let path = "unstorage(PartitionKey='unstorage',RowKey='a%3Ab')?$select=expires";
        let request = request("GET", path, &[], "");
        let expected =
            "SharedKeyLite devstoreaccount1:4pXsFsqhuXcPiATg6BelQ+UV3zW9sRwrgGZtEdjJ9S4=";
        assert_eq!(key().shared_key_lite(ACCOUNT, &request), expected);
    }

    #[test]
    fn a_document_is_signed_with_its_link() {
        let link = "dbs/unstorage/colls/unstorage/docs/a:b";
        let expected =
            "type%3Dmaster%26ver%3D1.0%26sig%3D%2FFkIKiNI34%2FYbmzknAo6SpA0qQDtYSD3wkpBNHfqFPg%3D";
        assert_eq!(key().master_key("GET", "docs", link, DATE), expected);
    }

    #[test]
    fn a_key_that_is_no_key_is_not_shown() {
        for key in ["", "no base64!", "c2VjcmV0c2VjcmV0*"] {
            let error = Key::new("example", "accountKey", key).expect_err(key);
            assert_eq!(error.kind(), ErrorKind::InvalidOptions);
            assert!(key.is_empty() || !format!("{error:?}").contains(key), "{error:?}");
        }
        assert_eq!(format!("{:?}", key()), "…");
    }
}
