//! Pages of a container's list, as the service writes them in XML.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::common::http::{Expiry, unreadable};
use cloakroom_storage::{ItemKey, Result};

/// Some of the blobs, and where the next page begins.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) blobs: Vec<Listed>,
    pub(super) next: Option<String>,
}

#[derive(Debug)]
pub(super) struct Listed {
    /// None for a blob of somebody else's that no key of ours can name.
    pub(super) key: Option<ItemKey>,
    pub(super) etag: String,
    pub(super) expiry: Option<Expiry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnumerationResults {
    /// Always there: what does not have it is no list.
    blobs: Blobs,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
struct Blobs {
    #[serde(default, rename = "Blob")]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: Name,
    properties: Properties,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Name {
    /// Whether the name is percent-encoded, because XML cannot have it.
    #[serde(default, rename = "@Encoded")]
    is_encoded: bool,
    #[serde(default, rename = "$text")]
    text: String,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Etag")]
    etag: String,
}

#[derive(Deserialize)]
struct Metadata {
    expires: Option<String>,
}

impl Page {
    pub(super) fn read(driver: &'static str, xml: &[u8]) -> Result<Page> {
        // The service begins with a byte order mark.
        let xml = xml.strip_prefix("\u{feff}".as_bytes()).unwrap_or(xml);
        let results: EnumerationResults = quick_xml::de::from_reader(xml)
            .map_err(|error| unreadable(driver, "the list of blobs", error))?;
        Ok(Page {
            blobs: results.blobs.blobs.into_iter().map(Listed::from).collect(),
            next: results.next_marker.filter(|marker| !marker.is_empty()),
        })
    }
}

impl From<Blob> for Listed {
    fn from(Blob { name, properties, metadata }: Blob) -> Listed {
        let Name { is_encoded, text } = name;
        let name = match is_encoded {
            true => percent_decode_str(&text).decode_utf8_lossy().into_owned(),
            false => text,
        };
        let key = ItemKey::new(&name).ok().filter(|key| key.as_str() == name);
        // Here the service leaves out the quotes.
        let etag = properties.etag;
        let etag = if etag.starts_with('"') { etag } else { format!("\"{etag}\"") };
        let expires = metadata.and_then(|metadata| metadata.expires);
        let expiry = expires.and_then(|expires| expires.parse().ok()).and_then(Expiry::at);
        Listed { key, etag, expiry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Microsoft's reference of List Blobs describes it.
    const PAGE: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <EnumerationResults ServiceEndpoint=\"https://a.blob.core.windows.net/\" ContainerName=\"unstorage\">\
        <Blobs>\
        <Blob><Name>a&amp;b:&lt;c&gt;</Name><Properties><Etag>0x8D1</Etag><Content-Length>3</Content-Length>\
        </Properties><Metadata><expires>123</expires></Metadata><OrMetadata/></Blob>\
        <Blob><Name Encoded=\"true\">a%EF%BF%BE</Name><Properties><Etag>\"0x8D2\"</Etag></Properties><Metadata/></Blob>\
        <Blob><Name>folder/file</Name><Properties><Etag>0x8D3</Etag></Properties></Blob>\
        </Blobs><NextMarker>2!80!more</NextMarker></EnumerationResults>";

    #[test]
    fn a_page_has_names_etags_and_deadlines() {
        let page = Page::read("example", PAGE.as_bytes()).expect("a page");
        assert_eq!(page.next.as_deref(), Some("2!80!more"));
        let blobs: Vec<_> = page
            .blobs
            .iter()
            .map(|blob| {
                let key = blob.key.as_ref().map(ItemKey::as_str);
                (key, blob.etag.as_str(), blob.expiry.map(Expiry::milliseconds))
            })
            .collect();
        assert_eq!(
            blobs,
            [
                (Some("a&b:<c>"), "\"0x8D1\"", Some(123)),
                (Some("a\u{fffe}"), "\"0x8D2\"", None),
                (None, "\"0x8D3\"", None),
            ]
        );
    }

    #[test]
    fn an_empty_container_is_one_empty_page() {
        let xml = "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>";
        let page = Page::read("example", xml.as_bytes()).expect("a page");
        assert!(page.blobs.is_empty() && page.next.is_none());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for xml in [
            "",
            "{}",
            "<html></html",
            "<EnumerationResults><Blobs><Blob/></Blobs></EnumerationResults>",
        ] {
            assert!(Page::read("example", xml.as_bytes()).is_err(), "{xml}");
        }
    }
}
