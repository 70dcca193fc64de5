//! Finds slots in the masks of 64 bytes at a time.
//!
//! Each byte of a block is a bit of a mask. The bits between quotes are found by a prefix sum modulo 2, those between the
//! brackets of a slot likewise, and a comma outside of both separates two slots.

/// The bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

/// Which bytes of a block are what.
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) commas: u64,
    /// `[` and `{`.
    pub(super) opening: u64,
    /// `]` and `}`.
    pub(super) closing: u64,
    /// Those of an object, if they are brackets.
    pub(super) curly: u64,
}

/// What is known at the end of a block. The masks have all bits as the last one was.
#[derive(Default)]
pub(super) struct State {
    in_string: u64,
    in_slot: u64,
    in_object: u64,
    /// One, if the next block begins behind a backslash.
    is_escaped: u64,
    /// Not zero once something was wrong.
    wrong: u64,
}

impl State {
    /// The commas between slots. `prefix_xor` tells for each bit whether an odd number of bits is set up to it.
    #[inline(always)]
    pub(super) fn separators(&mut self, masks: Masks, prefix_xor: impl Fn(u64) -> u64) -> u64 {
        let Masks { mut quotes, backslashes, commas, opening, closing, curly } = masks;
        if backslashes | self.is_escaped != 0 {
            quotes &= !escaped(backslashes, &mut self.is_escaped);
        }
        let in_string = prefix_xor(quotes) ^ self.in_string;
        self.in_string = all_as_last(in_string);

        let opening = opening & !in_string;
        let closing = closing & !in_string;
        let brackets = opening | closing;
        // A slot is in brackets from the opening one on up to the closing one, which no longer counts.
        let in_slot = prefix_xor(brackets) ^ self.in_slot;
        self.in_slot = all_as_last(in_slot);
        // Brackets of each kind come in pairs if none of an object is open where a slot's is closed.
        let in_object = prefix_xor(brackets & curly) ^ self.in_object;
        self.in_object = all_as_last(in_object);

        // Outside of strings a backslash would not escape anything.
        self.wrong |=
            (backslashes & !in_string) | (opening & !in_slot) | (closing & (in_slot | in_object));
        commas & !in_string & !in_slot
    }

    /// Whether what ended here is not whole, or has something wrong in it.
    pub(super) fn is_wrong(&self) -> bool {
        self.in_string | self.in_slot | self.is_escaped | self.wrong != 0
    }
}

/// All bits as the last one.
fn all_as_last(bits: u64) -> u64 {
    (bits as i64 >> 63) as u64
}

/// The bytes behind backslashes that are not behind one themselves.
#[cold]
fn escaped(backslashes: u64, is_escaped: &mut u64) -> u64 {
    let mut escaped = *is_escaped;
    *is_escaped = 0;
    let mut rest = backslashes;
    while rest != 0 {
        let backslash = rest & rest.wrapping_neg();
        if escaped & backslash == 0 {
            escaped |= backslash << 1;
            *is_escaped = backslash >> 63;
        }
        rest ^= backslash;
    }
    escaped
}

/// So many offsets are written at once, whether there are as many or not: that is cheaper than to ask for each.
const GROUP: usize = 4;

/// Adds an offset for each bit of the masks of blocks from `start` on.
#[inline(always)]
pub(super) fn push_offsets(offsets: &mut Vec<u32>, masks: &[u64], start: u32) {
    let count: u32 = masks.iter().map(|mask| mask.count_ones()).sum();
    offsets.reserve(count as usize + GROUP);
    let mut start = start;
    for &mask in masks {
        let length = offsets.len() + mask.count_ones() as usize;
        let mut bits = mask;
        loop {
            let mut group = [0; GROUP];
            for offset in &mut group {
                *offset = start + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            offsets.extend_from_slice(&group);
            if offsets.len() >= length {
                break;
            }
        }
        offsets.truncate(length);
        start += BLOCK as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_escapes_the_byte_behind_it_unless_it_is_escaped_itself() {
        let mut carried = 0;
        assert_eq!((escaped(0b0000_0111, &mut carried), carried), (0b0000_1010, 0));
        assert_eq!((escaped(1 << 63, &mut carried), carried), (0, 1));
        assert_eq!((escaped(0b11, &mut carried), carried), (0b101, 0));
        carried = 1;
        assert_eq!((escaped(0, &mut carried), carried), (1, 0));
    }
}
