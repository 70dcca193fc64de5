//! The fields of a form.

use super::file::File;

/// A form's fields in the order they were sent, as JavaScript's `FormData`: an action's input as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData {
    fields: Vec<(String, FormValue)>,
}

/// The value of a form's field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormValue {
    /// What was typed or chosen.
    Text(String),
    /// What was uploaded.
    File(File),
}

impl FormData {
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&FormValue> {
        self.get_all(name).next()
    }

    /// All values of this name.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &FormValue> {
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The first value of this name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(FormValue::as_text)
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The fields in the order they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FormValue)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl FormValue {
    /// The text, unless it is a file.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            FormValue::Text(text) => Some(text),
            FormValue::File(_) => None,
        }
    }

    /// Nothing typed, or no file chosen: a browser then sends a file without a name and without content.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            FormValue::Text(text) => text.is_empty(),
            FormValue::File(file) => file.name.is_empty() && file.bytes.is_empty(),
        }
    }
}

impl<N: Into<String>> FromIterator<(N, FormValue)> for FormData {
    fn from_iter<I: IntoIterator<Item = (N, FormValue)>>(fields: I) -> FormData {
        FormData { fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }
}

impl From<&str> for FormValue {
    fn from(text: &str) -> FormValue {
        FormValue::Text(text.to_owned())
    }
}

impl From<File> for FormValue {
    fn from(file: File) -> FormValue {
        FormValue::File(file)
    }
}
