//! Slots in the form in which devalue writes them, read without looking at a byte twice.
//!
//! Nearly all slots are of this form: no whitespace, no escapes in keys and short strings, references in their shortest
//! form. Whatever differs in the least is left to the careful reader, which also knows what is wrong with it.

use std::ops::Range;

use super::{
    Item, Node, Reader,
    content::{Content, Kind},
    keys::FEW,
};
use crate::{
    Date,
    reference::Reference,
    text::{
        number,
        string::{self, RawString},
    },
    types::url::Url,
};

impl<'de> Node<'_, 'de> {
    /// What a slot holds, if all of it has the canonical form.
    pub(super) fn canonical(&self, slot: usize, in_tree: bool) -> Option<Content<'de>> {
        let reader = self.reader;
        let (start, end) = reader.index.bounds(slot)?;
        let text = reader.text.get(start..end)?;
        match *text.first()? {
            b'"' => reader.plain_string(start, end).map(Content::String),
            b'-' | b'0'..=b'9' => {
                number::parse_canonical(text).map(|number| Content::Number(Kind::Number, number))
            }
            b'n' if text == b"null" => Some(Content::Plain(Kind::Null)),
            b't' if text == b"true" => Some(Content::Plain(Kind::True)),
            b'f' if text == b"false" => Some(Content::Plain(Kind::False)),
            first @ (b'{' | b'[') => {
                if in_tree && let Some(number) = reader.sharing.borrow_mut().seen_before(slot) {
                    return Some(Content::Reference(number));
                }
                let content = match first {
                    b'{' => Content::Entries(Kind::Object, reader.canonical_object(start, end)?),
                    _ => reader.canonical_list(start, end)?,
                };
                if in_tree {
                    reader.sharing.borrow_mut().see(slot);
                }
                Some(content)
            }
            _ => None,
        }
    }
}

impl<'de> Reader<'_, 'de> {
    /// A string without escapes.
    pub(super) fn plain_string(&self, start: usize, end: usize) -> Option<RawString<'de>> {
        match self.text.get(start..end)? {
            [b'"', inner @ .., b'"'] if string::is_plain(inner) => {
                Some(RawString::of_plain(self.str(start, end)?, start))
            }
            _ => None,
        }
    }

    /// A part of the text, which was looked at as a whole if it is to be read as a whole.
    fn str(&self, start: usize, end: usize) -> Option<&'de str> {
        match self.valid_text {
            Some(text) => text.get(start..end),
            None => std::str::from_utf8(self.text.get(start..end)?).ok(),
        }
    }

    /// A reference, and where it ends.
    fn canonical_reference(&self, start: usize) -> Option<(Reference, usize)> {
        let mut at = start;
        let mut slot = 0;
        while let Some(digit @ b'0'..=b'9') = self.text.get(at) {
            slot = slot * 10 + usize::from(digit - b'0');
            at += 1;
        }
        match at - start {
            0 => match self.text.get(at..at + 2)? {
                [b'-', digit @ b'1'..=b'6'] => {
                    Some((Reference::from_sentinel(-i64::from(digit - b'0'))?, at + 2))
                }
                _ => None,
            },
            1..=9 if slot < self.index.len() && (at - start == 1 || self.text[start] != b'0') => {
                Some((Reference::to_slot(slot)?, at))
            }
            _ => None,
        }
    }

    /// Puts references that are separated by commas on the stack, up to the bracket at the end.
    fn canonical_references(
        &self,
        mut at: usize,
        end: usize,
        stack: &mut Vec<Item<'de>>,
        holes: bool,
    ) -> Option<()> {
        loop {
            let (reference, behind) = self.canonical_reference(at)?;
            if reference.is_hole() && !holes {
                return None;
            }
            stack.push(Item::Value(reference));
            at = behind + 1;
            match self.text.get(behind)? {
                b',' => {}
                b']' => return (at == end).then_some(()),
                _ => return None,
            }
        }
    }

    /// Puts a container's items on the stack, or nothing.
    fn collect_with(
        &self,
        collect: impl FnOnce(&mut Vec<Item<'de>>, usize) -> Option<()>,
    ) -> Option<Range<usize>> {
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        if collect(&mut stack, start).is_none() {
            stack.truncate(start);
            return None;
        }
        Some(start..stack.len())
    }

    /// An array, or one of the types that are frequent.
    fn canonical_list(&self, start: usize, end: usize) -> Option<Content<'de>> {
        let text = self.text.get(start..end)?;
        if text.get(1) != Some(&b'"') {
            let items = self.collect_with(|stack, _| match text {
                b"[]" => Some(()),
                _ => self.canonical_references(start + 1, end, stack, true),
            });
            return Some(Content::Items(Kind::Array, items?));
        }
        if !self.options.custom_tags.is_empty() {
            return None;
        }
        match text {
            [b'[', b'"', b'D', b'a', b't', b'e', b'"', b',', b'"', date @ .., b'"', b']'] => {
                let millis = Date::millis_of_iso_text(date)?;
                Some(Content::Number(Kind::Date, millis as f64))
            }
            [b'[', b'"', b'M', b'a', b'p', b'"', b',', ..] => {
                let items = self.collect_with(|stack, first| {
                    self.canonical_references(start + 7, end, stack, false)?;
                    if (stack.len() - first) % 2 != 0 {
                        return None;
                    }
                    self.drop_repeated(stack, first, 2).ok()
                });
                Some(Content::Entries(Kind::Map, items?))
            }
            [b'[', b'"', b'S', b'e', b't', b'"', b',', ..] => {
                let items = self.collect_with(|stack, first| {
                    self.canonical_references(start + 7, end, stack, false)?;
                    self.drop_repeated(stack, first, 1).ok()
                });
                Some(Content::Items(Kind::Set, items?))
            }
            [b'[', b'"', b'U', b'R', b'L', b'"', b',', ..] => {
                let (reference, behind) = self.canonical_reference(start + 7)?;
                let (start, end) = match reference.slot() {
                    Some(slot) if behind + 1 == end => self.index.bounds(slot)?,
                    _ => return None,
                };
                let url = self.plain_string(start, end)?.body();
                self.spend_bytes(url.len()).ok()?;
                Some(Content::Text(Kind::Url, Url::parse(url).ok()?.into_string()))
            }
            _ => None,
        }
    }

    /// The properties of an object, unless their order, their names or their number are out of the ordinary.
    fn canonical_object(&self, start: usize, end: usize) -> Option<Range<usize>> {
        if self.text.get(start..end)? == b"{}" {
            return self.collect_with(|_, _| Some(()));
        }
        self.collect_with(|stack, _| {
            let mut prints = [0; FEW];
            let mut count = 0;
            let mut at = start;
            loop {
                // At the brace, or at the comma.
                let open = at + 1;
                if self.text.get(open) != Some(&b'"') {
                    return None;
                }
                let close = string::skip_plain(self.text, open + 1);
                let [b'"', b':', ..] = self.text.get(close..)? else { return None };
                let name = self.text.get(open + 1..close)?;
                // Array indices come first, whatever the order of the text.
                if name.first().is_some_and(u8::is_ascii_digit) || name == b"__proto__" {
                    return None;
                }
                let print = string::fingerprint(name);
                if prints.get(..count)?.contains(&print) {
                    return None;
                }
                *prints.get_mut(count)? = print;
                count += 1;
                let (reference, behind) = self.canonical_reference(close + 2)?;
                if reference.is_hole() {
                    return None;
                }
                let key = RawString::of_plain(self.str(open, close + 1)?, open);
                stack.push(Item::Property(key, reference));
                at = behind;
                match self.text.get(at)? {
                    b',' => {}
                    b'}' => return (at + 1 == end).then_some(()),
                    _ => return None,
                }
            }
        })
    }

    /// A slot that is a string without escapes: the frequent key of a Map.
    pub(super) fn plain_string_slot(&self, slot: usize) -> Option<RawString<'de>> {
        let (start, end) = self.index.bounds(slot)?;
        self.plain_string(start, end)
    }
}
