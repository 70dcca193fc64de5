//! Vectors of 64 bytes, for compilers that have them: since Rust 1.89, which `build.rs` looks for.

// Only compiled where they are there.
#![allow(clippy::incompatible_msrv)]

use std::arch::x86_64::{
    _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512,
    _mm512_set1_epi8, _mm512_test_epi8_mask,
};

use super::super::blocks::{BLOCK, Masks};
use super::scan;

#[target_feature(enable = "avx512bw,avx512vbmi,avx2,bmi1,pclmulqdq,popcnt")]
pub(super) fn scan_by_avx512(inside: &[u8], open: u32, close: u32) -> Option<Vec<u32>> {
    scan(inside, open, close, |block| masks_by_avx512(block))
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn masks_by_avx512(block: &[u8; BLOCK]) -> (Masks, bool) {
    // SAFETY: 64 bytes are read, which is as many as there are, and they need not be aligned.
    let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    let equal = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
    // `[` and `]` differ from `{` and `}` in one bit.
    let case = _mm512_set1_epi8(0x20);
    let folded = _mm512_or_si512(bytes, case);
    let masks = Masks {
        quotes: equal(bytes, b'"'),
        backslashes: equal(bytes, b'\\'),
        commas: equal(bytes, b','),
        opening: equal(folded, b'{'),
        closing: equal(folded, b'}'),
        curly: _mm512_test_epi8_mask(bytes, case),
    };
    (masks, _mm512_movepi8_mask(bytes) == 0)
}
