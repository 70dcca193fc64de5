//! The memory in which a text is put together.

use std::cell::Cell;

use super::{Container, primitives::Primitives};

/// What grows while a value is written: kept from one text to the next, so that none has to grow anew.
#[derive(Default)]
pub(super) struct Buffers {
    /// The texts of primitives, each with a comma behind it, in the order of their slots.
    pub(super) text: Vec<u8>,
    /// Containers, in the order of their slots.
    pub(super) containers: Vec<Container>,
    /// The texts of finished containers, each with a comma behind it.
    pub(super) finished: Vec<u8>,
    /// The text of unfinished containers, outermost first, with a comma behind each item.
    pub(super) scratch: Vec<u8>,
    /// The slots of primitives by their text: equal text is an equal value.
    pub(super) primitives: Primitives,
}

thread_local! {
    static KEPT: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// No more than this is kept of each buffer, in bytes: an extraordinary text shall not occupy memory for ever.
const KEPT_SIZE: usize = 128 << 10;

impl Buffers {
    /// Empty ones.
    pub(super) fn take() -> Box<Self> {
        let kept = KEPT.try_with(Cell::take).ok().flatten();
        let mut buffers = kept.unwrap_or_default();
        buffers.text.clear();
        buffers.containers.clear();
        buffers.finished.clear();
        buffers.scratch.clear();
        buffers.primitives.clear();
        buffers
    }

    /// Keeps them for the next text.
    pub(super) fn keep(self: Box<Self>) {
        let sizes = [
            self.text.capacity(),
            self.containers.capacity() * size_of::<Container>(),
            self.finished.capacity(),
            self.scratch.capacity(),
            self.primitives.size(),
        ];
        if sizes.iter().all(|&size| size <= KEPT_SIZE) {
            // A thread that is ending keeps nothing.
            let _ = KEPT.try_with(|kept| kept.set(Some(self)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer, ser::Error};

    use super::*;

    /// Is written by writing something else.
    struct Within(usize);

    impl Serialize for Within {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let text = match self.0 {
                0 => return Err(S::Error::custom("no")),
                1 => "end".to_owned(),
                more => crate::to_string(&Within(more - 1)).map_err(S::Error::custom)?,
            };
            serializer.serialize_str(&text)
        }
    }

    #[test]
    fn nothing_is_left_of_the_text_before() {
        let texts = [vec!["a"; 3], vec![], vec!["b", "a"]];
        for _ in 0..2 {
            for (text, expected) in
                texts.iter().zip(["[[1,1,1],\"a\"]", "[[]]", "[[1,2],\"b\",\"a\"]"])
            {
                assert_eq!(crate::to_string(text).unwrap(), expected);
            }
            assert!(crate::to_string(&("a", Within(0))).is_err());
            assert_eq!(
                crate::to_string(&("a", Within(2), "a")).unwrap(),
                r#"[[1,2,1],"a","[\"end\"]"]"#
            );
        }
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let numbers: Vec<_> = (0..50_000).collect();
        crate::to_string(&numbers).unwrap();
        assert!(KEPT.take().is_none());
        crate::to_string(&[1]).unwrap();
        assert!(KEPT.take().is_some());
    }
}
