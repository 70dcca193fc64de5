//! Slots in the form in which devalue writes them, read without looking at a byte twice.
//!
//! Nearly all slots are of this form: no whitespace, no escapes in keys and short strings, references in their shortest
//! form. Whatever differs in the least is left to the careful reader, which also knows what is wrong with it.

use std::{ops::Range, rc::Rc};

use super::{Item, Node, Reader, content::Content, keys::FEW, shape::Shape};
use crate::{
    Date, Result,
    reference::Reference,
    text::{
        number,
        string::{self, RawString},
    },
    types::url::Url,
};

/// A slot that holds nothing but a primitive.
#[derive(Clone, Copy)]
#[repr(u64)] // Moved as whole words, without the gaps that a smaller tag has behind it.
pub(super) enum Leaf<'de> {
    Null,
    Bool(bool),
    Number(f64),
    /// Without escapes.
    String(&'de str),
}

impl<'de> Node<'_, 'de> {
    /// A primitive, if its slot has the canonical form.
    #[inline(always)]
    pub(super) fn leaf(&self) -> Result<Option<Leaf<'de>>> {
        let Some(slot) = self.at.slot() else { return Ok(None) };
        let reader = self.reader;
        let Some(leaf) = reader.canonical_leaf(slot) else { return Ok(None) };
        if let Leaf::String(string) = leaf {
            reader.spend_bytes(string.len())?;
        }
        reader.mark_read(slot);
        Ok(Some(leaf))
    }

    /// A container or a type of its own, if its slot has the canonical form.
    pub(super) fn canonical(&self) -> Option<Content<'de>> {
        let reader = self.reader;
        let slot = self.at.slot()?;
        let (start, end) = reader.index.bounds(slot)?;
        let content = match reader.text.get(start)? {
            b'{' => reader.canonical_object(start, end)?,
            b'[' => reader.canonical_list(start, end)?,
            _ => return None,
        };
        reader.mark_read(slot);
        Some(content)
    }
}

impl<'de> Reader<'_, 'de> {
    #[inline(always)]
    fn canonical_leaf(&self, slot: usize) -> Option<Leaf<'de>> {
        let (start, end) = self.index.bounds(slot)?;
        let text = self.text.get(start..end)?;
        match *text.first()? {
            b'"' => self.plain_string(start, end).map(Leaf::String),
            b'-' | b'0'..=b'9' => number::parse_canonical(text).map(Leaf::Number),
            b'n' if text == b"null" => Some(Leaf::Null),
            b't' if text == b"true" => Some(Leaf::Bool(true)),
            b'f' if text == b"false" => Some(Leaf::Bool(false)),
            _ => None,
        }
    }

    /// A string without escapes.
    #[inline(always)]
    fn plain_string(&self, start: usize, end: usize) -> Option<&'de str> {
        let text = self.text.get(..end)?;
        let (open, close) = (start, end.checked_sub(1)?);
        let is_string = open < close
            && text.get(open) == Some(&b'"')
            && text.get(close) == Some(&b'"')
            && string::is_plain(self.text, open + 1, close);
        if is_string { self.str(open + 1, close) } else { None }
    }

    /// A part of the text, which was looked at as a whole if it is to be read as a whole.
    #[inline]
    fn str(&self, start: usize, end: usize) -> Option<&'de str> {
        match self.valid_text {
            Some(text) => text.get(start..end),
            None => std::str::from_utf8(self.text.get(start..end)?).ok(),
        }
    }

    /// The reference at the beginning, and what follows it.
    #[inline(always)]
    fn canonical_reference<'a>(&self, text: &'a [u8]) -> Option<(Reference, &'a [u8])> {
        Reference::read_canonical(text, self.index.len())
    }

    /// Puts references that are separated by commas on the stack, up to the bracket at the end.
    fn canonical_references(
        &self,
        start: usize,
        end: usize,
        stack: &mut Vec<Item>,
        holes: bool,
    ) -> Option<()> {
        let mut text = self.text.get(start..)?;
        loop {
            let (reference, rest) = self.canonical_reference(text)?;
            if reference.is_hole() && !holes {
                return None;
            }
            stack.push(Item::of(reference));
            match rest {
                [b',', rest @ ..] => text = rest,
                [b']', rest @ ..] => return (self.offset_of(rest) == end).then_some(()),
                _ => return None,
            }
        }
    }

    /// Where in the text its end begins.
    fn offset_of(&self, rest: &[u8]) -> usize {
        self.text.len() - rest.len()
    }

    /// Puts a container's items on the stack, or nothing.
    fn collect_with(
        &self,
        collect: impl FnOnce(&mut Vec<Item>, usize) -> Option<()>,
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
            return Some(Content::Array(items?));
        }
        if !self.options.custom_tags.is_empty() {
            return None;
        }
        match text {
            [b'[', b'"', b'D', b'a', b't', b'e', b'"', b',', b'"', date @ .., b'"', b']'] => {
                let (first, last) = (start + br#"["Date",""#.len(), end - br#""]"#.len());
                Some(Content::Date(Date::from_iso_text(date)?, self.str(first, last)))
            }
            [b'[', b'"', b'M', b'a', b'p', b'"', b',', ..] => {
                let items = self.collect_with(|stack, first| {
                    self.canonical_references(start + 7, end, stack, false)?;
                    if (stack.len() - first) % 2 != 0 {
                        return None;
                    }
                    if self.are_different_strings(&stack[first..], 2) {
                        return Some(());
                    }
                    self.drop_repeated(stack, first, 2).ok()
                });
                Some(Content::Map(items?))
            }
            [b'[', b'"', b'S', b'e', b't', b'"', b',', ..] => {
                let items = self.collect_with(|stack, first| {
                    self.canonical_references(start + 7, end, stack, false)?;
                    if self.are_different_strings(&stack[first..], 1) {
                        return Some(());
                    }
                    self.drop_repeated(stack, first, 1).ok()
                });
                Some(Content::Set(items?))
            }
            [b'[', b'"', b'U', b'R', b'L', b'"', b',', ..] => {
                let (reference, rest) = self.canonical_reference(&text[7..])?;
                let (start, end) = match reference.slot() {
                    Some(slot) if rest == b"]" => self.index.bounds(slot)?,
                    _ => return None,
                };
                let url = self.plain_string(start, end)?;
                self.spend_bytes(url.len()).ok()?;
                Url::parse(url).ok().map(Content::Url)
            }
            _ => None,
        }
    }

    /// The properties of an object, unless their order, their names or their number are out of the ordinary.
    fn canonical_object(&self, start: usize, end: usize) -> Option<Content<'de>> {
        let beginning = self.text.get(start + 1..)?;
        if let Some(shape) = self.shapes.borrow().like(beginning)
            && let Some(values) =
                self.collect_with(|stack, _| self.values_of(&shape, start, end, stack))
        {
            return Some(Content::Object(shape, values));
        }
        let mut keys = Vec::with_capacity(8);
        let values = self.collect_with(|stack, _| self.new_object(start, end, &mut keys, stack))?;
        let shape = Rc::new(Shape::new(keys));
        self.shapes.borrow_mut().keep(beginning, Rc::clone(&shape));
        Some(Content::Object(shape, values))
    }

    /// What an object has under the keys of a known shape, which must be its own.
    fn values_of(
        &self,
        shape: &Shape<'de>,
        start: usize,
        end: usize,
        stack: &mut Vec<Item>,
    ) -> Option<()> {
        let mut text = self.text.get(start..)?;
        for key in shape.keys() {
            // Where the key was found, a brace or a comma is before it and a colon behind it.
            let (first, last) = (key.offset().wrapping_sub(1), key.offset() + key.token().len());
            let rest = text.strip_prefix(self.text.get(first..=last)?)?;
            let (value, rest) = self.canonical_reference(rest)?;
            if value.is_hole() {
                return None;
            }
            stack.push(Item::of(value));
            text = rest;
        }
        match text {
            [b'}', rest @ ..] => (self.offset_of(rest) == end).then_some(()),
            _ => None,
        }
    }

    /// The keys of an object, and what it has under them.
    fn new_object(
        &self,
        start: usize,
        end: usize,
        keys: &mut Vec<RawString<'de>>,
        stack: &mut Vec<Item>,
    ) -> Option<()> {
        if self.text.get(start..end)? == b"{}" {
            return Some(());
        }
        // At the brace, or at the comma.
        let mut at = start;
        loop {
            let open = at + 1;
            if *self.text.get(open)? != b'"' || keys.len() == FEW {
                return None;
            }
            let close = string::skip_plain(self.text, open + 1);
            let [b'"', b':', rest @ ..] = self.text.get(close..)? else { return None };
            let key = RawString::of_plain(self.str(open, close + 1)?, open);
            let name = key.body();
            // Array indices come first, whatever the order of the text.
            if name.as_bytes().first().is_some_and(u8::is_ascii_digit)
                || name == "__proto__"
                || keys.iter().any(|other| other.token() == key.token())
            {
                return None;
            }
            keys.push(key);
            let (value, rest) = self.canonical_reference(rest)?;
            if value.is_hole() {
                return None;
            }
            stack.push(Item::of(value));
            at = self.offset_of(rest);
            match rest {
                [b',', ..] => {}
                [b'}', ..] => return (at + 1 == end).then_some(()),
                _ => return None,
            }
        }
    }

    /// Whether the items in every `step`th place are different strings, and few.
    fn are_different_strings(&self, items: &[Item], step: usize) -> bool {
        let mut strings = [""; FEW];
        for (count, item) in items.iter().step_by(step).enumerate() {
            let string = item.reference.slot().and_then(|slot| self.plain_string_slot(slot));
            match (string, strings.get_mut(count)) {
                (Some(string), Some(place)) => *place = string,
                _ => return false,
            }
            if strings[..count].contains(&strings[count]) {
                return false;
            }
        }
        true
    }

    /// A slot that is a string without escapes: the frequent key of a Map.
    pub(super) fn plain_string_slot(&self, slot: usize) -> Option<&'de str> {
        let (start, end) = self.index.bounds(slot)?;
        self.plain_string(start, end)
    }
}
