//! Slots in the form in which devalue writes them, read without looking at a byte twice.
//!
//! Nearly all slots are of this form: no whitespace, no escapes in keys and short strings, references in their shortest
//! form. Whatever differs in the least is left to the careful reader, which also knows what is wrong with it.

use std::{ops::Range, rc::Rc};

use super::{
    Item, Node, Reader,
    content::Content,
    keys::FEW,
    shape::{KnownKey, Shape},
};
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn leaf(&self) -> Result<Option<Leaf<'de>>> {
        let Some(slot) = self.at.slot() else { return Ok(None) };
        let reader = self.reader;
        let Some((start, end)) = reader.index.bounds(slot) else { return Ok(None) };
        if reader.text.get(start) == Some(&b'"') {
            reader.spend(end - start)?;
        }
        let Some(leaf) = reader.canonical_leaf(start, end) else { return Ok(None) };
        reader.mark_read(slot);
        Ok(Some(leaf))
    }

    /// The slot, if it is one, and where it begins and ends.
    #[inline(always)]
    pub(super) fn bounds(&self) -> Option<(usize, (usize, usize))> {
        let slot = self.at.slot()?;
        Some((slot, self.reader.index.bounds(slot)?))
    }

    /// A container or a type of its own, if its slot has the canonical form.
    pub(super) fn canonical(&self) -> Result<Option<Content<'de>>> {
        let reader = self.reader;
        let Some((slot, (start, end))) = self.bounds() else { return Ok(None) };
        let content = match reader.text.get(start) {
            Some(b'{') => {
                let mut values = [Reference::UNDEFINED; FEW];
                let Some(shape) = reader.canonical_object(start, end, &mut values) else {
                    return Ok(None);
                };
                reader.spend(shape.cost)?;
                let mut stack = reader.items.borrow_mut();
                let first = stack.len();
                stack.extend(values.into_iter().take(shape.keys.len()).map(Item::of));
                Content::Object(shape, first..stack.len())
            }
            Some(b'[') => {
                let Some(content) = reader.canonical_list(start, end) else { return Ok(None) };
                reader.spend(content.cost())?;
                content
            }
            _ => return Ok(None),
        };
        reader.mark_read(slot);
        Ok(Some(content))
    }
}

impl<'de> Reader<'_, 'de> {
    #[inline(always)]
    fn canonical_leaf(&self, start: usize, end: usize) -> Option<Leaf<'de>> {
        let text = self.text.get(start..end)?;
        match *text.first()? {
            b'"' => self.plain_string(start, end).map(Leaf::String),
            b'-' | b'0'..=b'9' => self.canonical_number(start, end).map(Leaf::Number),
            b'n' if text == b"null" => Some(Leaf::Null),
            b't' if text == b"true" => Some(Leaf::Bool(true)),
            b'f' if text == b"false" => Some(Leaf::Bool(false)),
            _ => None,
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn canonical_number(&self, start: usize, end: usize) -> Option<f64> {
        number::parse_canonical_at(self.text.get(start..)?, end - start)
    }

    /// A string without escapes.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plain_string(&self, start: usize, end: usize) -> Option<&'de str> {
        let text = self.text.get(..end)?;
        let (open, close) = (start, end.checked_sub(1)?);
        let is_string = open < close
            && text.get(open) == Some(&b'"')
            && text.get(close) == Some(&b'"')
            && string::is_plain(self.text, open + 1, close);
        if is_string { self.str(open + 1, close) } else { None }
    }

    /// A part of the text, which was looked at as a whole if it is to be read as a whole.
    #[inline(always)]
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
            return self.plain_items(start, end).map(Content::Array);
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
                self.spend(end - start).ok()?;
                Url::parse(self.plain_string(start, end)?).ok().map(Content::Url)
            }
            _ => None,
        }
    }

    /// The keys of an object and what it has under them, unless their order, their names or their number are out of the
    /// ordinary.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn canonical_object(
        &self,
        start: usize,
        end: usize,
        values: &mut [Reference; FEW],
    ) -> Option<Rc<Shape<'de>>> {
        if let Some(shape) = self.shapes.borrow().like(self.text.get(start + 1..)?)
            && self.values_of(shape, start, end, values).is_some()
        {
            return Some(Rc::clone(shape));
        }
        self.new_object(start, end, values)
    }

    /// The items of an array without a tag.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plain_items(&self, start: usize, end: usize) -> Option<Range<usize>> {
        self.collect_with(|stack, _| match self.text.get(start..end)? {
            b"[]" => Some(()),
            _ => self.canonical_references(start + 1, end, stack, true),
        })
    }

    /// What an object has under the keys of a known shape, which must be its own.
    #[inline(never)] // By itself, it keeps all that it needs in registers.
    fn values_of(
        &self,
        shape: &Shape<'de>,
        start: usize,
        end: usize,
        values: &mut [Reference; FEW],
    ) -> Option<()> {
        let (text, slots) = (self.text, self.index.len());
        let mut rest = text.get(start..)?;
        for (key, place) in shape.keys.iter().zip(values) {
            let (value, behind) = Reference::read_canonical(key.strip(rest, text)?, slots)?;
            if value.is_hole() {
                return None;
            }
            *place = value;
            rest = behind;
        }
        (rest.first() == Some(&b'}') && self.offset_of(rest) + 1 == end).then_some(())
    }

    /// The same of an object with keys that were not seen before.
    #[inline(never)]
    fn new_object(
        &self,
        start: usize,
        end: usize,
        values: &mut [Reference; FEW],
    ) -> Option<Rc<Shape<'de>>> {
        let mut keys: Vec<KnownKey<'de>> = Vec::with_capacity(6);
        if self.text.get(start..end)? == b"{}" {
            return Some(Rc::new(Shape::new(keys)));
        }
        // At the brace, or at the comma.
        let mut at = start;
        loop {
            let open = at + 1;
            let place = values.get_mut(keys.len())?;
            if *self.text.get(open)? != b'"' {
                return None;
            }
            let close = string::skip_plain(self.text, open + 1);
            let [b'"', b':', rest @ ..] = self.text.get(close..)? else { return None };
            let raw = RawString::of_plain(self.str(open, close + 1)?, open);
            let name = raw.body();
            // Array indices come first, whatever the order of the text.
            if name.as_bytes().first().is_some_and(u8::is_ascii_digit)
                || name == "__proto__"
                || keys.iter().any(|other| other.raw.token() == raw.token())
            {
                return None;
            }
            keys.push(KnownKey::canonical(raw, name, self.text)?);
            let (value, rest) = self.canonical_reference(rest)?;
            if value.is_hole() {
                return None;
            }
            *place = value;
            at = self.offset_of(rest);
            match rest {
                [b',', ..] => {}
                [b'}', ..] if at + 1 == end => break,
                _ => return None,
            }
        }
        let shape = Rc::new(Shape::new(keys));
        self.shapes.borrow_mut().keep(self.text.get(start + 1..)?, Rc::clone(&shape));
        Some(shape)
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
        self.spend(end - start).ok()?;
        self.plain_string(start, end)
    }
}
