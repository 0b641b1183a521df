//! Rows of numbers, which several schemes share: a row comes before what it begins, and a number is a number of any
//! length.

use crate::key::KeyWriter;

const END: u8 = 0;
const NUMBER: u8 = 1;

/// Layout: each number behind its mark, then the mark of the end. `numbers` are digits.
pub(crate) fn write(key: &mut KeyWriter, numbers: &[&str]) {
    for number in numbers {
        key.mark(NUMBER);
        key.number(number);
    }
    key.mark(END);
}

/// The numbers without the zeros at their end, for schemes in which a missing number is 0.
pub(crate) fn without_zeros_at_the_end<'a, 'text>(numbers: &'a [&'text str]) -> &'a [&'text str] {
    let zeros = numbers.iter().rev().take_while(|number| is_zero(number)).count();
    &numbers[..numbers.len() - zeros]
}

/// At least one digit and nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `0`, perhaps written with more than one.
pub(crate) fn is_zero(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(numbers: &[&str]) -> Vec<u8> {
        let mut key = KeyWriter::default();
        write(&mut key, numbers);
        key.mark(u8::MAX); // what follows must not matter
        key.finish()
    }

    #[test]
    fn a_row_comes_before_what_it_begins() {
        assert!(key(&["1"]) < key(&["1", "0"]));
        assert!(key(&["1", "0"]) < key(&["1", "2"]));
        assert!(key(&["1", "9", "9"]) < key(&["1", "10"]));
        assert_eq!(key(&["1", "02"]), key(&["1", "2"]));
    }

    #[test]
    fn only_the_zeros_at_the_end_go() {
        assert_eq!(without_zeros_at_the_end(&["0", "1", "0", "2", "00", "0"]), ["0", "1", "0", "2"]);
        assert!(without_zeros_at_the_end(&["0", "0"]).is_empty());
        assert!(without_zeros_at_the_end(&[]).is_empty());
    }
}
