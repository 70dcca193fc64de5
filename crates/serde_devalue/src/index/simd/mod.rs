//! Finds slots 64 bytes at a time, by the vectors of x86-64.
//!
//! Nothing is found in a text in which anything is wrong: [`scalar`](super::scalar) says then what it is, and where.

// The one module that may. Each use says why.
#![allow(unsafe_code)]

mod utf8;
#[cfg(has_avx512)]
mod wide;

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_slli_epi16,
};

use super::blocks::{BLOCK, Masks, State, push_offsets};
use super::{expected, is_whitespace};
use utf8::Utf8;

/// The offsets around the slots of the array that opens at `open` and fills the rest of the text.
///
/// `None` where the processor cannot, or the text is not what [`Index::new`](super::Index::new) lets pass.
pub(super) fn find_slots(text: &[u8], open: usize) -> Option<Vec<u32>> {
    Vectors::avx512().or_else(Vectors::avx2)?.find_slots(text, open)
}

/// Vectors that the processor has: there is no value of this type without looking.
#[derive(Clone, Copy, Debug)]
struct Vectors {
    #[cfg_attr(not(has_avx512), expect(dead_code, reason = "none are"))]
    are_wide: bool,
}

impl Vectors {
    fn avx2() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Vectors { are_wide: false })
    }

    /// Processors without VBMI, those before Ice Lake, slow down when such wide vectors are used; compilers before
    /// Rust 1.89 cannot.
    fn avx512() -> Option<Self> {
        if !cfg!(has_avx512) {
            return None;
        }
        Self::avx2()?;
        let has = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi");
        has.then_some(Vectors { are_wide: true })
    }

    fn find_slots(self, text: &[u8], open: usize) -> Option<Vec<u32>> {
        let close = text.iter().rposition(|byte| !is_whitespace(byte))?;
        // The offsets of the last block, and those just behind it, are still offsets.
        u32::try_from(text.len() + 2 * BLOCK).ok()?;
        let inside = text.get(open + 1..close)?;
        if text[close] != b']' || inside.iter().all(is_whitespace) {
            return None;
        }
        let (open, close) = (open as u32, close as u32);
        // SAFETY: the processor has all features that the functions are compiled for, or there were no `self`. There is
        // nothing else to heed.
        unsafe {
            #[cfg(has_avx512)]
            if self.are_wide {
                return wide::scan_by_avx512(inside, open, close);
            }
            scan_by_avx2(inside, open, close)
        }
    }
}

#[target_feature(enable = "avx2,bmi1,pclmulqdq,popcnt")]
fn scan_by_avx2(inside: &[u8], open: u32, close: u32) -> Option<Vec<u32>> {
    scan(inside, open, close, |block| masks_by_avx2(block))
}

/// So many blocks are looked at before anything is done about what was found: loops that do one thing are fast.
const STRETCH: usize = 64;

/// What is between two brackets at these offsets. `masks` gives those of a block, and whether it is ASCII.
#[inline]
#[target_feature(enable = "avx2,bmi1,pclmulqdq,popcnt")]
fn scan(
    inside: &[u8],
    open: u32,
    close: u32,
    masks: impl Fn(&[u8; BLOCK]) -> (Masks, bool),
) -> Option<Vec<u32>> {
    let mut state = State::default();
    let mut utf8 = Utf8::default();
    let mut offsets = Vec::with_capacity(expected(inside.len()));
    offsets.push(open);
    let mut start = open + 1;
    let (blocks, rest) = inside.as_chunks();
    // The last block is the end, even if there is nothing in it.
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    for blocks in blocks.chunks(STRETCH).chain([&[last][..]]) {
        let mut separators = [0; STRETCH];
        let mut foreign = 0;
        for (at, (separators, block)) in separators.iter_mut().zip(blocks).enumerate() {
            let (masks, is_ascii) = masks(block);
            *separators = state.separators(masks, |bits| prefix_xor(bits));
            foreign |= u64::from(!is_ascii) << at;
        }
        utf8.blocks(blocks, foreign);
        push_offsets(&mut offsets, &separators[..blocks.len()], start);
        start += (blocks.len() * BLOCK) as u32;
    }
    offsets.push(close);
    (!state.is_wrong() && !utf8.is_wrong()).then_some(offsets)
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks_by_avx2(block: &[u8; BLOCK]) -> (Masks, bool) {
    let (halves, _) = block.as_chunks();
    let halves = [load(&halves[0]), load(&halves[1])];
    let mask = |halves: [__m256i; 2]| {
        let [low, high] = halves.map(|half| u64::from(_mm256_movemask_epi8(half) as u32));
        low | high << 32
    };
    let equal = |halves: [__m256i; 2], byte: u8| {
        mask(halves.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8))))
    };
    let folded = halves.map(|half| _mm256_or_si256(half, _mm256_set1_epi8(0x20)));
    let masks = Masks {
        quotes: equal(halves, b'"'),
        backslashes: equal(halves, b'\\'),
        commas: equal(halves, b','),
        opening: equal(folded, b'{'),
        closing: equal(folded, b'}'),
        curly: mask(halves.map(|half| _mm256_slli_epi16::<2>(half))),
    };
    (masks, _mm256_movemask_epi8(_mm256_or_si256(halves[0], halves[1])) == 0)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are read, which is as many as there are, and they need not be aligned.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn prefix_xor(bits: u64) -> u64 {
    // The product with all ones, without carries, adds up each bit and those below it.
    let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Index;
    use proptest::prelude::*;

    /// What each kind of vectors finds in a text.
    fn found(text: &[u8]) -> impl Iterator<Item = Option<Vec<u32>>> {
        let open = super::super::skip_whitespace(text, 0);
        let kinds = [Vectors::avx2(), Vectors::avx512()].into_iter().flatten();
        kinds.map(move |vectors| {
            let opens = text.get(open) == Some(&b'[');
            opens.then(|| vectors.find_slots(text, open)).flatten()
        })
    }

    /// Nothing is found that is not found byte by byte.
    #[track_caller]
    fn check_same(text: &[u8]) {
        let expected = Index::new_scalar(text, super::super::skip_whitespace(text, 0));
        for found in found(text).flatten() {
            let expected = expected.as_ref().map(|index| &index.bounds).ok();
            assert_eq!(Some(&found), expected, "{}", text.escape_ascii());
        }
    }

    /// What devalue writes is found by vectors: what they leave to others is right as well, but slow.
    #[track_caller]
    fn check_found(text: &[u8]) {
        let expected = Index::new_scalar(text, 0).unwrap().bounds;
        found(text).for_each(|found| assert_eq!(found.as_ref(), Some(&expected)));
    }

    /// Everything that a block can hold.
    const SLOTS: &str =
        r#"{"a,]}":1,"b":-2},"[{\\\"\",",[2,-6],"\\","aé日😀b",["Date","x"],true,-1.5,[],{}"#;

    #[test]
    fn slots_are_found_wherever_a_block_ends() {
        for length in 0..3 * BLOCK {
            let padding = "-".repeat(length);
            check_found(format!("[\"{padding}\",{SLOTS},{SLOTS}]").as_bytes());
            check_found(format!("[\"{padding}\"]").as_bytes());
        }
        check_found(format!("[{}]", [SLOTS; 200].join(",")).as_bytes());
    }

    #[test]
    fn any_byte_may_be_wrong() {
        let text = format!("[\"{}\",{SLOTS}]", "-".repeat(BLOCK - 20));
        for at in 0..text.len() {
            for byte in *b"[]{}\",\\ \x0c\0\x80\xbf\xc0\xc3\xe0\xed\xf0\xf4\xf8\xff" {
                let mut text = text.clone().into_bytes();
                text[at] = byte;
                check_same(&text);
                check_same(&text[..at]);
            }
        }
    }

    #[test]
    fn all_characters_are_utf8_and_their_neighbours_are_not() {
        for first in 0x80..=0xff {
            for second in 0..=0xff {
                for rest in [&b""[..], b"\x80", b"\xbf\xbf", b"\x80a", b"\x80\x80\x80"] {
                    for before in [BLOCK - 3, BLOCK - 2, 4] {
                        let padding = vec![b'-'; before];
                        let text = [b"[\"", &*padding, &[first, second], rest, b"\"]"].concat();
                        check_same(&text);
                        if std::str::from_utf8(&text).is_ok() && !b"\"\\".contains(&second) {
                            check_found(&text);
                        }
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn vectors_and_bytes_find_the_same(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "[", "]", "{", "}", "\"", ",", "\\", "\\\"", " ", "a", "12", "é", "日", "😀",
                    "\"text\"", "{\"a\":1}", "[1,2]", "----------------",
                ]),
                0..120,
            ),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut text = format!("[{}]", parts.concat()).into_bytes();
            check_same(&text);
            let at = at.index(text.len());
            text[at] = byte;
            check_same(&text);
        }
    }
}
