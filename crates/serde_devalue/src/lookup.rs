//! Finds single values by their keys.
//!
//! Texts that devalue wrote are read in one pass over bytes. Whatever has another form is left to the iterators, which
//! also know what is wrong with it.

use std::collections::HashMap;

use crate::{Flat, error::Result, reference::Reference, text::string};

impl Flat<'_> {
    /// What a Map has under a string; where the text has the key twice, the last value, which JavaScript keeps.
    ///
    /// # Errors
    /// If it is not a Map.
    ///
    /// ```
    /// # fn main() -> serde_devalue::Result<()> {
    /// let text = br#"[["Map",1,2,3,4],"name","Ann","visits",7]"#;
    /// let index = serde_devalue::Index::new(text)?;
    /// let flat = serde_devalue::Flat::new(text, &index);
    /// let visits = flat.get(flat.root()?, "visits")?;
    /// assert_eq!(visits.map(|visits| flat.number(visits)).transpose()?, Some(7.0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, map: Reference, key: &str) -> Result<Option<Reference>> {
        Ok(self.entry(map, key)?.map(|(_, value)| value))
    }

    /// As [`get`](Flat::get), with the reference to the key.
    ///
    /// # Errors
    /// As `get`.
    pub fn entry(&self, map: Reference, key: &str) -> Result<Option<(Reference, Reference)>> {
        if let Some(found) = self.entry_canonical(map, key) {
            return Ok(found);
        }
        let mut found = None;
        // Many entries may share a key that is long to look at.
        let mut known = HashMap::new();
        for entry in self.map(map)? {
            let (name, value) = entry?;
            if *known.entry(name).or_insert_with(|| self.string_eq(name, key)) {
                found = Some((name, value));
            }
        }
        Ok(found)
    }

    /// What a plain object has under a name; where the text has the name twice, the last value, which JavaScript keeps.
    ///
    /// # Errors
    /// If it is not a plain object.
    pub fn field(&self, object: Reference, name: &str) -> Result<Option<Reference>> {
        self.fields(object, [name]).map(|[field]| field)
    }

    /// As [`field`](Flat::field), for several names at once, of which each must be another.
    ///
    /// # Errors
    /// As `field`.
    ///
    /// ```
    /// # fn main() -> serde_devalue::Result<()> {
    /// let text = br#"[{"data":1,"expires":-1},"Ann"]"#;
    /// let index = serde_devalue::Index::new(text)?;
    /// let flat = serde_devalue::Flat::new(text, &index);
    /// let [data, expires] = flat.fields(flat.root()?, ["data", "expires"])?;
    /// assert_eq!(data.map(|data| flat.string(data)).transpose()?, Some("Ann".into()));
    /// assert!(expires.is_some_and(|expires| expires.is_undefined()));
    /// # Ok(())
    /// # }
    /// ```
    // Where the names are known to the compiler, so is how to compare with them.
    #[inline(always)]
    pub fn fields<const N: usize>(
        &self,
        object: Reference,
        names: [&str; N],
    ) -> Result<[Option<Reference>; N]> {
        match self.fields_in_order(object, names) {
            Some(found) => Ok(found.map(Some)),
            None => self.fields_in_any_order(object, names),
        }
    }

    fn fields_in_any_order<const N: usize>(
        &self,
        object: Reference,
        names: [&str; N],
    ) -> Result<[Option<Reference>; N]> {
        if let Some(found) = self.fields_canonical(object, names) {
            return Ok(found);
        }
        let mut found = [None; N];
        for field in self.object(object)? {
            let (key, value) = field?;
            for (found, name) in found.iter_mut().zip(names) {
                if key == name {
                    *found = Some(value);
                }
            }
        }
        Ok(found)
    }

    fn entry_canonical(&self, map: Reference, key: &str) -> Option<Option<(Reference, Reference)>> {
        if !string::is_plain(key.as_bytes(), 0, key.len()) {
            return None;
        }
        let (slot, end) = self.text_from(map)?;
        let mut rest = slot.strip_prefix(b"[\"Map\"")?;
        let mut found = None;
        loop {
            match rest {
                [b',', behind @ ..] => rest = behind,
                [b']', behind @ ..] if behind.len() == end => return Some(found),
                _ => return None,
            }
            let (name, value);
            (name, rest) = self.value(rest)?;
            (value, rest) = self.value(rest.strip_prefix(b",")?)?;
            if self.is_plain_string(name, key)? {
                found = Some((name, value));
            }
        }
    }

    /// The fields of an object that has just these, in this order.
    #[inline(always)]
    fn fields_in_order<const N: usize>(
        &self,
        object: Reference,
        names: [&str; N],
    ) -> Option<[Reference; N]> {
        if !names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return None;
        }
        let (text, index) = self.parts();
        let (start, end) = index.bounds(object.slot()?)?;
        let mut rest = text.get(start..end)?;
        let mut found = [Reference::ROOT; N];
        let mut open: &[u8; 2] = b"{\"";
        for (name, found) in names.iter().zip(&mut found) {
            let behind = rest.strip_prefix(open)?.strip_prefix(name.as_bytes())?;
            (*found, rest) = self.value(behind.strip_prefix(b"\":")?)?;
            open = b",\"";
        }
        (rest == b"}").then_some(found)
    }

    fn fields_canonical<const N: usize>(
        &self,
        object: Reference,
        names: [&str; N],
    ) -> Option<[Option<Reference>; N]> {
        if !names.iter().all(|name| string::is_plain(name.as_bytes(), 0, name.len())) {
            return None;
        }
        let (slot, end) = self.text_from(object)?;
        let mut rest = slot.strip_prefix(b"{")?;
        let mut found = [None; N];
        loop {
            let behind = rest.strip_prefix(b"\"")?;
            let (key, behind) = behind.split_at_checked(string::skip_plain(behind, 0))?;
            if key == b"__proto__" {
                return None;
            }
            let value;
            (value, rest) = self.value(behind.strip_prefix(b"\":")?)?;
            for (found, name) in found.iter_mut().zip(names) {
                if key == name.as_bytes() {
                    *found = Some(value);
                }
            }
            match rest {
                [b',', behind @ ..] => rest = behind,
                [b'}', behind @ ..] if behind.len() == end => return Some(found),
                _ => return None,
            }
        }
    }

    /// The text from a slot on, and how much of it comes behind the slot.
    fn text_from(&self, at: Reference) -> Option<(&[u8], usize)> {
        let (text, index) = self.parts();
        let (start, end) = index.bounds(at.slot()?)?;
        Some((text.get(start..)?, text.len().checked_sub(end)?))
    }

    /// The reference to a value that the text begins with, and what follows it.
    #[inline(always)]
    fn value<'t>(&self, text: &'t [u8]) -> Option<(Reference, &'t [u8])> {
        let (reference, rest) = Reference::read_canonical(text, self.len())?;
        (!reference.is_hole()).then_some((reference, rest))
    }

    /// Whether it is this string; `None` if that takes a closer look.
    #[inline]
    pub(crate) fn is_plain_string(&self, at: Reference, string: &str) -> Option<bool> {
        let (text, index) = self.parts();
        let Some((start, end)) = at.slot().and_then(|slot| index.bounds(slot)) else {
            return Some(false);
        };
        match text.get(start..end)? {
            [b'"', body @ .., b'"'] => is_plain(body, string.as_bytes()),
            [b'{' | b'[' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9', ..] => Some(false),
            _ => None,
        }
    }
}

/// Whether what is between the quotes of a string is this; `None` if that takes a closer look, because of an escape.
#[inline(always)]
fn is_plain(body: &[u8], string: &[u8]) -> Option<bool> {
    // An escape has up to six bytes for one. Longer ones need no look, however many refer to them.
    if body.len() < string.len() || body.len() > string.len().saturating_mul(6) {
        return Some(false);
    }
    let mut differs = false;
    // Most differ in their first byte. Up to there, what is not an escape stands for itself.
    for (byte, wanted) in body.iter().zip(string) {
        if *byte == b'\\' {
            return None;
        }
        if byte != wanted {
            differs = true;
            break;
        }
    }
    if differs {
        return Some(false);
    }
    match body.get(string.len()) {
        None => string::is_plain(body, 0, body.len()).then_some(true),
        Some(b'\\') => None,
        Some(_) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Index;

    #[track_caller]
    fn check(text: &str, key: &str, expected: Option<usize>) {
        let index = Index::new(text.as_bytes()).unwrap();
        let flat = Flat::new(text.as_bytes(), &index);
        let found = match flat.map(Reference::ROOT) {
            Ok(_) => flat.get(Reference::ROOT, key),
            Err(_) => flat.field(Reference::ROOT, key),
        };
        assert_eq!(found.unwrap().and_then(Reference::slot), expected, "{text}");
    }

    #[test]
    fn keys_are_found_in_any_form() {
        for text in [
            r#"[["Map",1,2,3,4],"a",1,"ab",2]"#,
            r#" [ ["Map" , 1,2 ,3,4] , "a" ,1, "ab", 2 ] "#,
            r#"[["Map",1,2,3,4],"\u0061",1,"a\u0062",2]"#,
            r#"[["\u004dap",1.0,2,3e0,4],"a",1,"ab",2]"#,
            r#"[{"a":2,"ab":4},1,1,1,2]"#,
            r#"[ {"a" : 2 ,"ab": 4.0},1,1,1,2]"#,
            r#"[{"\u0061":2,"a\u0062":4},1,1,1,2]"#,
        ] {
            check(text, "a", Some(2));
            check(text, "ab", Some(4));
            check(text, "b", None);
            check(text, "", None);
            check(text, "abc", None);
        }
        check("[{},1]", "a", None);
        check(r#"[["Map"],1]"#, "a", None);
    }

    #[test]
    fn several_fields_are_found_at_once() {
        for text in [
            r#"[{"data":1,"expires":-1},7]"#,
            r#"[{"expires":-1,"data":1},7]"#,
            r#"[{"data":1,"expires":-1,"other":1},7]"#,
            r#"[{"data":0,"data":1,"expires":-1},7]"#,
            r#"[ {"data":1,"expires":-1},7]"#,
            r#"[{"d\u0061ta":1,"expires":-1},7]"#,
        ] {
            let index = Index::new(text.as_bytes()).unwrap();
            let flat = Flat::new(text.as_bytes(), &index);
            let found = flat.fields(Reference::ROOT, ["data", "expires"]).unwrap();
            assert_eq!(found, [Reference::to_slot(1), Some(Reference::UNDEFINED)], "{text}");
            let none = [r#"data":1,"expires"#, "data"];
            let found = flat.fields(Reference::ROOT, none).unwrap();
            assert_eq!(found, [None, Reference::to_slot(1)], "{text}");
        }
        for text in [r#"[{"__proto__":0}]"#, r#"[{"data":0]"#, r#"[{"data":1,"expires":-1}]"#] {
            let Ok(index) = Index::new(text.as_bytes()) else { continue };
            let flat = Flat::new(text.as_bytes(), &index);
            assert!(flat.fields(Reference::ROOT, ["__proto__"]).is_err(), "{text}");
            assert!(flat.fields(Reference::ROOT, ["data", "expires"]).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        check(r#"[["Map",1,2,1,3],"a",1,2]"#, "a", Some(3));
        check(r#"[["Map",1,2,4,3],"a",1,2,"\u0061"]"#, "a", Some(3));
        check(r#"[{"a":2,"a":3},"a",1,2]"#, "a", Some(3));
    }

    #[test]
    fn keys_with_escapes_are_found() {
        check(r#"[["Map",1,2],"a\\\"\n",1]"#, "a\\\"\n", Some(2));
        check(r#"[["Map",1,2],"a\\b",1]"#, "a\\\\b", None);
        check(r#"[{"a\\\"\n":1},1]"#, "a\\\"\n", Some(1));
        check(r#"[["Map",-1,1,1,-1,3,2],1,2,[]]"#, "[]", None);
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        for text in [
            r#"[["Map",1,2,3],"a",1,2]"#,
            r#"[["Map",1,-2],"a"]"#,
            r#"[["Map",1,9],"a"]"#,
            r#"[["Map",1,2}],"a",1]"#,
            r#"[{"__proto__":1},1]"#,
            r#"[{"a":-2},1]"#,
            r#"[{"a":1,},1]"#,
            r#"[["Set",1],"a"]"#,
            "[1]",
            "-1",
        ] {
            let Ok(index) = Index::new(text.as_bytes()) else { continue };
            let flat = Flat::new(text.as_bytes(), &index);
            let root = flat.root().unwrap();
            assert!(flat.get(root, "a").is_err() && flat.field(root, "a").is_err(), "{text}");
        }
    }
}
