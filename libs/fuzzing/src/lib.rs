//! Fuzzing within the ordinary tests: the seeds of a committed corpus, and a fixed number of mutations of each.
//!
//! `cargo fuzz` is guided by what the code does and finds more, but it wants unstable compiler flags and hours. This
//! runs the same bodies over the same corpora wherever tests run, in seconds, and with the same inputs every time.

mod mutations;

use std::path::Path;
use std::time::{Duration, Instant};

/// What an input may take. Inputs are small ([`INPUT_BYTES_MAX`]) and take milliseconds; a loaded machine is patient
/// enough with this, and a reader whose time grows with the square of its input is not.
const INPUT_TIME_MAX: Duration = Duration::from_secs(30);

/// The longest mutation, in bytes: longer ones are cut, so that the count of mutations bounds the time.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;

/// How many mutations are made of each seed, instead of what the test says.
pub const ROUNDS_VARIABLE: &str = "MUSTER_FUZZ_ROUNDS";

/// A valid input that mutations start from.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Its file's name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a folder, by name.
///
/// # Panics
/// When the folder can't be read or holds no file: a test without seeds would pass for nothing.
pub fn corpus(folder: impl AsRef<Path>) -> Vec<Seed> {
    let folder = folder.as_ref();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("corpus {}: {error}", folder.display()));
    let mut seeds: Vec<Seed> = entries
        .map(|entry| {
            let path = entry.expect("the folder was opened").path();
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("seed {}: {error}", path.display()));
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            Seed { name, bytes }
        })
        .collect();
    assert!(!seeds.is_empty(), "corpus {} has no seeds", folder.display());
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
}

/// Runs `body` over each seed and over `rounds` mutations of each.
///
/// # Panics
/// When the body does, after the target, the seed, the number of the mutation and the input have been printed: the same
/// number makes the same input again. Also when an input takes longer than any should.
pub fn run(target: &str, seeds: &[Seed], rounds: u64, body: impl Fn(&[u8])) {
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(rounds, |text| {
        text.parse().unwrap_or_else(|_| panic!("{ROUNDS_VARIABLE} is `{text}`, which is no number of mutations"))
    });
    for (position, seed) in seeds.iter().enumerate() {
        Case { target, seed, mutation: None, input: &seed.bytes }.run(&body);
        for number in 0..rounds {
            let input = mutations::make(target, seeds, position, number);
            Case { target, seed, mutation: Some(number), input: &input }.run(&body);
        }
    }
}

/// One input and where it comes from, which is printed when its run panics.
struct Case<'a> {
    target: &'a str,
    seed: &'a Seed,
    mutation: Option<u64>,
    input: &'a [u8],
}

impl Case<'_> {
    fn run(self, body: &impl Fn(&[u8])) {
        let started = Instant::now();
        body(self.input);
        let taken = started.elapsed();
        assert!(taken < INPUT_TIME_MAX, "it took {taken:?}");
    }
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let mutation = self.mutation.map_or("unchanged".to_owned(), |number| format!("mutation {number}"));
        eprintln!("fuzzing `{}`: seed `{}`, {mutation}, {} bytes:", self.target, self.seed.name, self.input.len());
        eprintln!("{}", self.input.escape_ascii());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn seeds() -> Vec<Seed> {
        [("a", "{\"a\": [1, 2]}"), ("b", "<b>20</b>\nline"), ("empty", "")]
            .map(|(name, text)| Seed { name: name.to_owned(), bytes: text.as_bytes().to_vec() })
            .to_vec()
    }

    #[test]
    fn every_run_has_the_same_inputs_and_nearly_all_differ() {
        let inputs = || {
            let seen = RefCell::new(Vec::new());
            run("x", &seeds(), 200, |input| seen.borrow_mut().push(input.to_vec()));
            seen.into_inner()
        };
        let first = inputs();
        assert_eq!(first, inputs());
        assert!(first.iter().all(|input| input.len() <= INPUT_BYTES_MAX));
        let different: std::collections::BTreeSet<&Vec<u8>> = first.iter().collect();
        assert!(different.len() > first.len() * 2 / 3, "{} of {}", different.len(), first.len());
        assert!(first.iter().any(|input| input.len() > 10_000), "deep nesting is among them");
    }

    #[test]
    #[should_panic(expected = "a reader's mistake")]
    fn what_the_body_finds_is_told() {
        run("x", &seeds(), 100, |input| assert!(!input.contains(&0), "a reader's mistake"));
    }
}
