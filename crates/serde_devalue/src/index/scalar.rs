//! Finds slots byte by byte.

use crate::{
    error::{Error, Result},
    text::string,
};

/// The offsets around the slots of the array that opens at `open`, and the end of the array.
///
/// Slots are scalars, arrays of scalars or objects of scalars, so one bracket at most is open inside the root's.
pub(super) fn find_slots(text: &[u8], open: usize) -> Result<(Vec<u32>, usize)> {
    let mut bounds = Vec::with_capacity(super::expected(text.len()));
    bounds.push(open as u32);
    // The bracket that closes the slot we are in, if it has one.
    let mut closing = None;
    let mut at = open + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = skip_string(text, at)?;
                continue;
            }
            b',' if closing.is_none() => bounds.push(at as u32),
            b'[' | b'{' if closing.is_none() => closing = Some(byte + 2),
            b'[' | b'{' => {
                // DIFFERENCE: JavaScript lets deeper nesting pass where it ignores it, or makes text of it. Nothing writes it.
                return Err(Error::data("a slot holds references and scalars only")
                    .at_slot(bounds.len() - 1)
                    .at_offset(at));
            }
            b']' | b'}' if closing == Some(byte) => closing = None,
            b']' if closing.is_none() => {
                bounds.push(at as u32);
                return Ok((bounds, at + 1));
            }
            b']' | b'}' => {
                return Err(
                    Error::syntax("the brackets do not match", at).at_slot(bounds.len() - 1)
                );
            }
            _ => {}
        }
        at += 1;
    }
    Err(Error::eof(at).at_slot(bounds.len() - 1))
}

/// The end of the string that begins at `start`; what is in it is checked when it is read.
fn skip_string(text: &[u8], start: usize) -> Result<usize> {
    let mut at = start + 1;
    loop {
        at = string::skip_plain(text, at);
        at += match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => 2,
            Some(_) => 1,
            None => return Err(Error::eof(text.len())),
        };
    }
}
