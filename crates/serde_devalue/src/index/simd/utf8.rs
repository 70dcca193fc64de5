//! Whether a text is UTF-8 (RFC 3629), 64 bytes at a time.
//!
//! The way is that of Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte", 2021): nearly all that
//! can be wrong shows in two bytes that follow each other, by the upper half of the first, its lower half and the
//! upper half of the second. Each rule has a bit, set in a table of each of these halves where it may be broken; where
//! all three tables have it, it is.

use std::arch::x86_64::{
    __m256i, _mm256_alignr_epi8, _mm256_and_si256, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set_epi64x, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16, _mm256_subs_epu8, _mm256_testz_si256, _mm256_xor_si256,
};

use super::load;
use crate::index::blocks::BLOCK;

/// What two bytes must not be: a range for the first's upper half, one for its lower half, and one for the second's upper
/// half. A rule of two parts has one bit for both.
type Rule = ([u8; 2], [u8; 2], [u8; 2]);

const RULES: [&[Rule]; 8] = [
    // A sequence begins, and does not go on.
    &[([0xc, 0xf], [0, 0xf], [0, 7]), ([0xc, 0xf], [0, 0xf], [0xc, 0xf])],
    // It goes on, and did not begin.
    &[([0, 7], [0, 0xf], [8, 0xb])],
    // Two bytes for what takes one, three for what takes two.
    &[([0xc, 0xc], [0, 1], [8, 0xb])],
    &[([0xe, 0xe], [0, 0], [8, 9])],
    // A surrogate.
    &[([0xe, 0xe], [0xd, 0xd], [0xa, 0xb])],
    // Beyond U+10FFFF.
    &[([0xf, 0xf], [4, 0xf], [9, 0xb])],
    // Four bytes for what takes three; beyond, again, where the second byte does not matter.
    &[([0xf, 0xf], [0, 0], [8, 8]), ([0xf, 0xf], [5, 0xf], [8, 8])],
    // Not wrong in itself: `TWICE`.
    &[([8, 0xb], [0, 0xf], [8, 0xb])],
];

/// The rule that a sequence goes on twice, which it may in the third and fourth byte, and must.
const TWICE: u8 = 1 << 7;

/// The bits of the rules that a half of a byte may break, for each of its values.
const fn table(half: usize) -> [u8; 16] {
    let mut table = [0; 16];
    let mut rule = 0;
    while rule < RULES.len() {
        let mut part = 0;
        while part < RULES[rule].len() {
            let (first_upper, first_lower, second_upper) = RULES[rule][part];
            let [from, to] = [first_upper, first_lower, second_upper][half];
            let mut value = from;
            while value <= to {
                table[value as usize] |= 1 << rule;
                value += 1;
            }
            part += 1;
        }
        rule += 1;
    }
    table
}

static TABLES: [[u8; 16]; 3] = [table(0), table(1), table(2)];

/// What is known of a text up to some block.
#[derive(Default)]
pub(super) struct Utf8 {
    /// The bytes before.
    last: [u8; 32],
    /// One, if they may be in the middle of a sequence.
    is_open: u64,
    is_wrong: bool,
}

impl Utf8 {
    /// The next blocks, of which those with a bit in `foreign` are not ASCII.
    #[inline]
    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn blocks(&mut self, blocks: &[[u8; BLOCK]], foreign: u64) {
        // A sequence may go on in the next block, or should.
        let mut rest = foreign | foreign << 1 | self.is_open;
        if rest == 0 {
            return;
        }
        let mut last = load(&self.last);
        let mut wrong = _mm256_setzero_si256();
        while rest != 0
            && let Some(block) = blocks.get(rest.trailing_zeros() as usize)
        {
            for half in block.as_chunks().0 {
                let half = load(half);
                wrong = _mm256_or_si256(wrong, wrong_bytes(last, half));
                last = half;
            }
            rest &= rest - 1;
        }
        if let Some(block) = blocks.last()
            && let Some(half) = block.last_chunk()
        {
            self.last = *half;
        }
        self.is_open = foreign >> (blocks.len() - 1) & 1;
        self.is_wrong |= _mm256_testz_si256(wrong, wrong) == 0;
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.is_wrong
    }
}

/// Not zero where a byte is wrong behind the ones before it.
#[inline]
#[target_feature(enable = "avx2")]
fn wrong_bytes(before: __m256i, bytes: __m256i) -> __m256i {
    // The last 16 bytes, and the first 16.
    let around = _mm256_permute2x128_si256::<0x21>(before, bytes);
    let first = _mm256_alignr_epi8::<15>(bytes, around);
    let second_before = _mm256_alignr_epi8::<14>(bytes, around);
    let third_before = _mm256_alignr_epi8::<13>(bytes, around);

    let lower = |bytes| _mm256_and_si256(bytes, _mm256_set1_epi8(0xf));
    let upper = |bytes| lower(_mm256_srli_epi16::<4>(bytes));
    let broken = _mm256_and_si256(
        _mm256_and_si256(look_up(0, upper(first)), look_up(1, lower(first))),
        look_up(2, upper(bytes)),
    );
    // From 0xe0 on there must be a third byte, from 0xf0 on a fourth. What remains of the byte has its highest bit then.
    let third = _mm256_subs_epu8(second_before, _mm256_set1_epi8((0xe0_u8 - 0x80) as i8));
    let fourth = _mm256_subs_epu8(third_before, _mm256_set1_epi8((0xf0_u8 - 0x80) as i8));
    let twice = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(TWICE as i8));
    _mm256_xor_si256(broken, twice)
}

#[inline]
#[target_feature(enable = "avx2")]
fn look_up(table: usize, halves: __m256i) -> __m256i {
    let (words, _) = TABLES[table].as_chunks();
    let [low, high] = [0, 1].map(|at| i64::from_le_bytes(words[at]));
    _mm256_shuffle_epi8(_mm256_set_epi64x(high, low, high, low), halves)
}
