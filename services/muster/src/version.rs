//! `muster version compare | schemes`: line in, line out.

use crate::exit;
use anyhow::{Context, Result};
use clap::Subcommand;
use muster_versions::Scheme;
use std::{
    cmp::Ordering,
    io::{self, BufRead, BufWriter, Write},
};

/// The longest line taken, in bytes: two versions of the longest kind, with room.
const LINE_BYTES_MAX: u64 = 64 * 1024;

#[derive(Subcommand)]
pub enum Command {
    /// Read lines of `A<TAB>B` and print `<`, `=`, `>`, or `?` where one of them is no version.
    Compare {
        /// How versions are ordered: `muster version schemes` lists the names.
        #[arg(long, value_parser = scheme)]
        scheme: Scheme,
    },
    /// List the schemes.
    Schemes,
}

fn scheme(raw: &str) -> Result<Scheme, String> {
    Scheme::parse(raw).ok_or_else(|| {
        let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
        format!("none of {}", names.join(", "))
    })
}

pub fn run(command: Command) -> Result<u8> {
    let mut output = BufWriter::new(io::stdout().lock());
    match command {
        Command::Compare { scheme } => compare(scheme, io::stdin().lock(), &mut output)?,
        Command::Schemes => {
            for scheme in Scheme::ALL {
                writeln!(output, "{}", scheme.name())?;
            }
        }
    }
    output.flush()?;
    Ok(exit::GOOD)
}

fn compare(scheme: Scheme, mut input: impl BufRead, output: &mut impl Write) -> Result<()> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let length = io::Read::take(&mut input, LINE_BYTES_MAX).read_until(b'\n', &mut line).context("read stdin")?;
        if length == 0 {
            break;
        }
        anyhow::ensure!((length as u64) < LINE_BYTES_MAX, "line {number} is longer than {LINE_BYTES_MAX} bytes");
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        let (left, right) =
            text.split_once('\t').with_context(|| format!("line {number} has no tab between two versions"))?;
        let sign = match scheme.compare(left, right) {
            Ok(Ordering::Less) => "<",
            Ok(Ordering::Equal) => "=",
            Ok(Ordering::Greater) => ">",
            Err(_) => "?",
        };
        writeln!(output, "{sign}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_an_answer_and_an_unreadable_version_has_none() {
        let check = |scheme, input: &str, expected: &str| {
            let mut output = Vec::new();
            compare(scheme, input.as_bytes(), &mut output).unwrap();
            assert_eq!(String::from_utf8(output).unwrap(), expected);
        };
        check(Scheme::Deb, "1.0~rc1\t1.0\n1.0\t1.0\n2:1\t1:9\n-\t1\n", "<\n=\n>\n?\n");
        check(Scheme::Pep440, "1.0.post1\t1.0", ">\n");
    }

    #[test]
    fn a_line_without_a_tab_is_named() {
        let error = compare(Scheme::Deb, "1\t2\n1 2\n".as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "line 2 has no tab between two versions");
    }
}
