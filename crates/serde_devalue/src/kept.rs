//! Memory that is kept from one text to the next.

use std::{cell::Cell, thread::LocalKey};

/// What grows while a text is put together.
pub(crate) trait Buffers: Default {
    /// Forgets what is in it, and keeps the memory.
    fn clear(&mut self);

    /// How much memory the largest buffer holds, in bytes.
    fn largest(&self) -> usize;
}

/// A thread's buffers while nobody uses them, so that they need not grow anew for each text.
pub(crate) struct Kept<T>(Cell<Option<Box<T>>>);

/// No more than this is kept of each buffer, in bytes: an extraordinary text shall not occupy memory for ever.
const KEPT_SIZE: usize = 128 << 10;

impl<T: Buffers> Kept<T> {
    pub(crate) const fn new() -> Self {
        Kept(Cell::new(None))
    }

    /// Empty ones. Whoever asks while they are in use gets others.
    pub(crate) fn take(kept: &'static LocalKey<Self>) -> Box<T> {
        let mut buffers = kept.try_with(|kept| kept.0.take()).ok().flatten().unwrap_or_default();
        buffers.clear();
        buffers
    }

    /// Keeps them for the next text.
    pub(crate) fn keep(kept: &'static LocalKey<Self>, buffers: Box<T>) {
        if buffers.largest() <= KEPT_SIZE {
            // A thread that is ending keeps nothing.
            let _ = kept.try_with(|kept| kept.0.set(Some(buffers)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Text(Vec<u8>);

    impl Buffers for Text {
        fn clear(&mut self) {
            self.0.clear();
        }

        fn largest(&self) -> usize {
            self.0.capacity()
        }
    }

    thread_local! {
        static KEPT: Kept<Text> = const { Kept::new() };
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        for (size, is_kept) in [(10, true), (KEPT_SIZE, true), (KEPT_SIZE + 1, false)] {
            let mut text = Kept::take(&KEPT);
            text.0 = vec![1; size];
            Kept::keep(&KEPT, text);
            let text = Kept::take(&KEPT);
            assert!(text.0.is_empty());
            assert_eq!(text.0.capacity() == size, is_kept);
        }
    }
}
