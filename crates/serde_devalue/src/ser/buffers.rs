//! The memory in which a text is put together.

use super::Container;
use crate::{
    kept::{self, Kept},
    primitives::Primitives,
};

/// What grows while a value is written.
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
    /// The slots of primitives by their text: equal text is an equal value. Their place is where it begins.
    pub(super) primitives: Primitives<usize>,
}

thread_local! {
    static KEPT: Kept<Buffers> = const { Kept::new() };
}

impl Buffers {
    /// Empty ones.
    pub(super) fn take() -> Box<Self> {
        Kept::take(&KEPT)
    }

    /// Keeps them for the next text.
    pub(super) fn keep(self: Box<Self>) {
        Kept::keep(&KEPT, self);
    }
}

impl kept::Buffers for Buffers {
    fn clear(&mut self) {
        self.text.clear();
        self.containers.clear();
        self.finished.clear();
        self.scratch.clear();
        self.primitives.clear(0);
    }

    fn largest(&self) -> usize {
        self.text
            .capacity()
            .max(self.containers.capacity() * size_of::<Container>())
            .max(self.finished.capacity())
            .max(self.scratch.capacity())
            .max(self.primitives.size())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer, ser::Error};

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
}
