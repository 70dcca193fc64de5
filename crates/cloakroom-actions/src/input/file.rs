//! Uploaded files.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// A file that was sent with a form; a field's type, or found in [`FormData`](crate::FormData).
///
/// ```
/// use cloakroom_actions::{File, FormData, FromInput, RawInput};
///
/// #[derive(serde::Deserialize)]
/// struct Portrait {
///     title: String,
///     picture: File,
/// }
///
/// # let picture = File::new("me.png", "image/png", "…");
/// let form: FormData = [("title", "Me".into()), ("picture", picture.into())].into_iter().collect();
/// let portrait = Portrait::from_input(&RawInput::Form(form))?;
/// assert_eq!(portrait.picture.name, "me.png");
/// # assert_eq!(portrait.title, "Me");
/// # Ok::<(), cloakroom_actions::ActionError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// The name that it had where it came from. Not to be trusted as a path.
    pub name: String,
    /// What the sender says it is. Not to be trusted either.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Bytes,
}

impl File {
    /// A file, for tests above all.
    pub fn new(name: impl Into<String>, content_type: &str, bytes: impl Into<Bytes>) -> File {
        let content_type = Some(content_type.to_owned());
        File { name: name.into(), content_type, bytes: bytes.into() }
    }
}

/// Without the bytes.
impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("name", &self.name)
            .field("content_type", &self.content_type)
            .field("size", &self.bytes.len())
            .finish()
    }
}

/// By this name the deserialiser of forms knows that a file is wanted.
pub(super) const NAME: &str = "$cloakroom::File";
pub(super) const FIELDS: &[&str] = &["name", "type", "bytes"];

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<File, D::Error> {
        deserializer.deserialize_struct(NAME, FIELDS, FileVisitor)
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = File;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a file of a multipart form")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
        let (mut name, mut content_type, mut bytes) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => name = Some(map.next_value()?),
                "type" => content_type = map.next_value()?,
                "bytes" => bytes = Some(map.next_value::<Content>()?.0),
                _ => _ = map.next_value::<serde::de::IgnoredAny>()?,
            }
        }
        match (name, bytes) {
            (Some(name), Some(bytes)) => Ok(File { name, content_type, bytes }),
            _ => Err(A::Error::custom("a file was expected")),
        }
    }
}

/// A file's bytes, handed over without a copy where they come from a form.
struct Content(Bytes);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        struct BytesVisitor;

        impl Visitor<'_> for BytesVisitor {
            type Value = Content;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Content, E> {
                Ok(Content(bytes.into()))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Content, E> {
                Ok(Content(Bytes::copy_from_slice(bytes)))
            }
        }

        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}
