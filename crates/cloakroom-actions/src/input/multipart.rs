//! Forms with files, read as `Request.formData()` of Node.js reads them, which Astro calls: by the rules that browsers
//! write them by ("multipart/form-data" in the HTML standard), and not by those of mail.
//!
//! In a name and in a file's name `"`, CR and LF are written as `%22`, `%0D` and `%0A`, and nothing else is escaped: a
//! backslash is a backslash. Nothing is skipped to find them, so that no name is taken out of another one.

use bytes::Bytes;

use super::File;
use super::form::{FormData, FormValue};

/// UTF-8's, which JavaScript's decoder takes off.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The boundary that a content type names (Fetch and MIME Sniffing Standards).
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (_, mut rest) = content_type.split_once(';')?;
    loop {
        rest = rest.trim_start_matches(is_space);
        let end = rest.find([';', '='])?;
        let (name, after) = rest.split_at(end);
        let Some(after) = after.strip_prefix('=') else {
            rest = &after[1..];
            continue;
        };
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted),
            None => {
                // Where the header was there twice, the two are joined by a comma.
                let end = after.find([';', ',']).unwrap_or(after.len());
                (after[..end].trim_end_matches(is_space).to_owned(), &after[end..])
            }
        };
        let is_quoted = rest[end..].starts_with("=\"");
        if name.eq_ignore_ascii_case("boundary") && (is_quoted || !value.is_empty()) {
            return Some(value);
        }
        rest = after.split_once(';')?.1;
    }
}

/// What stands between quotation marks, of which the first is taken off already, and what follows.
fn quoted_string(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(letters.next().map_or('\\', |(_, escaped)| escaped)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// Reads a body; `None` where it is no such form.
pub(super) fn parse(body: &Bytes, boundary: &str) -> Option<FormData> {
    let mut fields = Vec::new();
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = Reader(trim_lines(body));
    loop {
        rest.expect(&delimiter)?;
        if rest.0 == b"--" {
            return Some(fields.into_iter().collect());
        }
        rest.expect(LINE_END)?;
        let part = Part::read(&mut rest)?;
        // Wherever the boundary stands: nobody who writes a form lets its content hold it.
        let end = find(rest.0, &delimiter[2..])?.saturating_sub(4);
        let content = rest.take(end);
        rest.expect(LINE_END)?;
        fields.push(part.field(body, content));
    }
}

const LINE_END: &[u8] = b"\r\n";

/// What a part says of itself.
#[derive(Default)]
struct Part {
    name: Option<String>,
    file: Option<String>,
    content_type: Option<String>,
    is_base64: bool,
}

impl Part {
    /// Reads the headers, and the empty line after them.
    fn read(rest: &mut Reader<'_>) -> Option<Part> {
        let mut part = Part::default();
        while rest.expect(LINE_END).is_none() {
            let name = rest.take_while(|byte| !matches!(byte, b'\n' | b'\r' | b':'));
            let name = name.trim_ascii().to_ascii_lowercase();
            if name.is_empty() || !name.iter().copied().all(is_token) {
                return None;
            }
            rest.expect(b":")?;
            rest.take_while(|byte| matches!(byte, b' ' | b'\t'));
            match name.as_slice() {
                b"content-disposition" => part.read_disposition(rest)?,
                b"content-type" => part.content_type = Some(media_type(rest.line())),
                b"content-transfer-encoding" => {
                    part.is_base64 = rest.line().trim_ascii_end() == b"base64";
                }
                _ => _ = rest.line(),
            }
            rest.end_of_header()?;
        }
        part.name.is_some().then_some(part)
    }

    fn read_disposition(&mut self, rest: &mut Reader<'_>) -> Option<()> {
        rest.expect(b"form-data; name=\"")?;
        self.name = Some(rest.quoted()?);
        self.file = None;
        if rest.expect(b"; filename").is_some() {
            _ = rest.expect(b"*");
            rest.expect(b"=\"")?;
            self.file = Some(rest.quoted()?);
        }
        Some(())
    }

    fn field(self, body: &Bytes, content: &[u8]) -> (String, FormValue) {
        let bytes = match self.is_base64 {
            true => from_base64(content).into(),
            false => body.slice_ref(content),
        };
        let value = match self.file {
            Some(name) => {
                let content_type = self.content_type.unwrap_or_else(|| "text/plain".to_owned());
                // What is no type is none, which JavaScript writes as an empty text.
                let content_type = Some(content_type).filter(|text| !text.is_empty());
                FormValue::File(File { name, content_type, bytes })
            }
            // Node.js takes off two: its own decoder one, and JavaScript's another.
            None => FormValue::Text(decoded(without_mark(&bytes))),
        };
        (self.name.unwrap_or_default(), value)
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Passes these bytes, if they come next.
    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !wanted(*byte));
        self.take(end.unwrap_or(self.0.len()))
    }

    /// One of the two bytes is enough for Node.js.
    fn end_of_header(&mut self) -> Option<()> {
        let is_end = self.0.first() == Some(&b'\r') || self.0.get(1) == Some(&b'\n');
        self.take(2);
        is_end.then_some(())
    }

    fn line(&mut self) -> &'a [u8] {
        self.take_while(|byte| !matches!(byte, b'\n' | b'\r'))
    }

    /// A name up to its closing quotation mark.
    fn quoted(&mut self) -> Option<String> {
        let name = self.take_while(|byte| !matches!(byte, b'\n' | b'\r' | b'"'));
        self.expect(b"\"")?;
        Some(unescaped(&decoded(name)))
    }
}

/// As `TextDecoder` decodes.
fn decoded(bytes: &[u8]) -> String {
    String::from_utf8_lossy(without_mark(bytes)).into_owned()
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// In one go, so that what comes out of one escape is not the beginning of another.
fn unescaped(name: &str) -> String {
    let mut whole = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let letter = match escape.get(1..3) {
            Some("22") => Some('"'),
            Some(digits) if digits.eq_ignore_ascii_case("0d") => Some('\r'),
            Some(digits) if digits.eq_ignore_ascii_case("0a") => Some('\n'),
            _ => None,
        };
        whole.push(letter.unwrap_or('%'));
        rest = &escape[if letter.is_some() { 3 } else { 1 }..];
    }
    whole.push_str(rest);
    whole
}

/// As JavaScript's `Blob` keeps it: in lower case, and empty where it has a letter that no type has.
fn media_type(line: &[u8]) -> String {
    let line = line.trim_ascii_end();
    let is_printable = line.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    match is_printable {
        true => decoded(line).to_ascii_lowercase(),
        false => String::new(),
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_|~".contains(&byte)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    match wanted.is_empty() {
        true => Some(0),
        false => text.windows(wanted.len()).position(|window| window == wanted),
    }
}

/// Without the empty lines before and after it.
fn trim_lines(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(LINE_END) {
        text = rest;
    }
    while let Some(rest) = text.strip_suffix(LINE_END) {
        text = rest;
    }
    text
}

/// As `Buffer.from(text, 'base64')`: up to the first `=`, and without what is none of its letters.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    let letters = text.iter().take_while(|byte| **byte != b'=').filter_map(|byte| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    });
    for six in letters {
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
