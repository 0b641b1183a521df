//! The mutations: each is a few random steps away from a seed, and made again by its number.

use crate::{INPUT_BYTES_MAX, Seed};

/// Steps from the seed to its mutation, at most: more of them leave nothing that a reader would go far into.
const STEPS_MAX: usize = 4;

/// Put in anywhere: what ends, begins or escapes something in one of the formats, and what is no text at all.
const TOKENS: [&[u8]; 40] = [
    b"\0",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"<",
    b">",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\t",
    b" ",
    b",",
    b":",
    b";",
    b"=",
    b"/",
    b"\\",
    b"%",
    b"%2",
    b"@",
    b"#",
    b"|",
    b"~",
    b"*",
    b"-",
    b"&a",
    b"<!--",
    b"]]>",
    b"<?",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"null",
];

/// Put in the place of numbers: the ends of their types, and what is a number in one place and none in another.
const NUMBERS: [&[u8]; 12] = [
    b"0",
    b"-1",
    b"00",
    b"1.5",
    b"1e999",
    b"255",
    b"65536",
    b"2147483648",
    b"4294967295",
    b"9223372036854775808",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999999999",
];

/// Written over binary numbers: counts, lengths and places that lie outside of everything.
const WORDS: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 0x1_0000_0000, u64::MAX];

/// What things of the formats are put into: JSON, YAML, XML, TOML, brackets of ranges.
const NESTS: [(&[u8], &[u8]); 9] = [
    (b"[", b"]"),
    (b"{\"a\":", b"}"),
    (b"<a>", b"</a>"),
    (b"- ", b""),
    (b"{a: ", b"}"),
    (b"{a=", b"}"),
    (b"a.", b""),
    (b"(", b")"),
    (b"a: &a [*a, ", b"]"),
];

/// How deep: within every limit, about the usual ones (128), and beyond what a stack holds if each level takes some.
const DEPTHS: [usize; 4] = [2, 30, 150, 5000];

/// Mutation `number` of the seed at `position`.
pub(crate) fn make(target: &str, seeds: &[Seed], position: usize, number: u64) -> Vec<u8> {
    let mut random = Random::new(&[target.as_bytes(), seeds[position].name.as_bytes(), &number.to_le_bytes()]);
    let mut bytes = seeds[position].bytes.clone();
    for _ in 0..=random.below(STEPS_MAX) {
        step(&mut bytes, seeds, &mut random);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, seeds: &[Seed], random: &mut Random) {
    let place = random.below(bytes.len() + 1);
    let end = place + random.below((bytes.len() - place).min(200) + 1);
    match random.below(12) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => bytes.truncate(place),
        3 => drop(bytes.drain(place..end)),
        4 => {
            let other = &seeds[random.below(seeds.len())].bytes;
            let from = random.below(other.len() + 1);
            bytes.truncate(place);
            bytes.extend_from_slice(&other[from..]);
        }
        5 => {
            let chunk = bytes[place..end].repeat(1 + random.below(100));
            insert(bytes, place, &chunk);
        }
        6 => {
            let chunk = bytes[place..end].to_vec();
            let target = random.below(bytes.len() + 1);
            insert(bytes, target, &chunk);
        }
        7 => replace_number(bytes, place, random.of(&NUMBERS)),
        8 => {
            let width = random.of(&[2, 4, 8]);
            let word = random.of(&WORDS).to_le_bytes();
            let aligned = place - place % width;
            for (byte, new) in bytes.iter_mut().skip(aligned).zip(&word[..width]) {
                *byte = *new;
            }
        }
        9 | 10 => insert(bytes, place, random.of(&TOKENS)),
        _ => {
            let (open, close) = random.of(&NESTS);
            let depth = random.of(&DEPTHS);
            // Mostly where a value begins, as a reader would refuse the rest of what stands elsewhere at once.
            let begins = bytes[place..].iter().position(|byte| b":=>\n[".contains(byte));
            let place = begins.map_or(place, |distance| place + distance + 1);
            let nest = [open.repeat(depth), close.repeat(depth)].concat();
            insert(bytes, place, &nest);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, place: usize, chunk: &[u8]) {
    bytes.splice(place..place, chunk.iter().copied());
}

/// The first number at or behind the place.
fn replace_number(bytes: &mut Vec<u8>, place: usize, number: &[u8]) {
    let Some(start) = bytes[place..].iter().position(u8::is_ascii_digit).map(|distance| place + distance) else {
        return;
    };
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(start..start + digits, number.iter().copied());
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): small, and the same
/// everywhere.
struct Random(u64);

impl Random {
    /// Begins with the FNV-1a hash of the parts.
    fn new(parts: &[&[u8]]) -> Self {
        let bytes = parts.iter().copied().flatten();
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `count` - 1, for a count that is not 0.
    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
