//! Line in, line out: commands that other programs ask thousands of questions per call.

use anyhow::{Context, Result};
use std::io::{self, BufRead, BufWriter, Write};

/// The longest line taken, in bytes: two versions of the longest kind, a package URL or a range, with room.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Answers each line of stdin with one line on stdout. What is wrong with a line is said with its number.
pub fn answer(one: impl FnMut(&str) -> Result<String>) -> Result<()> {
    answer_from(io::stdin().lock(), BufWriter::new(io::stdout().lock()), one)
}

fn answer_from(
    mut input: impl BufRead,
    mut output: impl Write,
    mut one: impl FnMut(&str) -> Result<String>,
) -> Result<()> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let length = io::Read::take(&mut input, LINE_BYTES_MAX).read_until(b'\n', &mut line).context("read stdin")?;
        if length == 0 {
            break;
        }
        anyhow::ensure!((length as u64) < LINE_BYTES_MAX, "line {number} is longer than {LINE_BYTES_MAX} bytes");
        let text = String::from_utf8_lossy(&line);
        let answer = one(text.trim_end_matches(['\n', '\r'])).with_context(|| format!("line {number}"));
        match answer {
            Ok(answer) => writeln!(output, "{answer}")?,
            Err(error) => {
                output.flush()?; // what came before stands
                return Err(error);
            }
        }
    }
    output.flush()?;
    Ok(())
}

#[cfg(test)]
pub fn answers(input: &str, one: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut output = Vec::new();
    answer_from(input.as_bytes(), &mut output, one)?;
    Ok(String::from_utf8(output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_an_answer() {
        assert_eq!(answers("a\r\nb\n\nc", |line| Ok(line.to_uppercase())).unwrap(), "A\nB\n\nC\n");
    }

    #[test]
    fn a_line_that_cannot_be_answered_or_is_too_long_is_named() {
        let error = answers("a\nb\n", |line| if line == "b" { anyhow::bail!("no b") } else { Ok(String::new()) });
        assert_eq!(format!("{:#}", error.unwrap_err()), "line 2: no b");
        let long = format!("a\n{}", "x".repeat(LINE_BYTES_MAX as usize));
        let error = answers(&long, |line| Ok(line.to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "line 2 is longer than 65536 bytes");
    }
}
