//! The Exploit Prediction Scoring System's daily table (first.org/epss, "Data", read 2026-11-24): a comment line
//! `#model_version:…,score_date:…`, a head line `cve,epss,percentile`, then one CVE a line.

use crate::feed::{FeedError, WORD_BYTES_MAX};
use muster_domain::{Epss, Skipped};
use std::collections::BTreeMap;

/// Most bytes of a table: ten times the real one of 2026 (330,000 lines, 11 MB).
pub const TABLE_BYTES_MAX: usize = 128 << 20;
/// Most bad lines that are told one by one; the rest is one count.
const SKIPPED_MAX: usize = 100;

/// The predictions by CVE, and the lines that could not be read.
///
/// # Errors
/// When the bytes are over `TABLE_BYTES_MAX` or the head line does not name the three columns.
pub fn parse(bytes: &[u8]) -> Result<(BTreeMap<String, Epss>, Vec<Skipped>), FeedError> {
    if bytes.len() > TABLE_BYTES_MAX {
        return Err(FeedError::TooLarge { bytes: bytes.len(), limit: TABLE_BYTES_MAX });
    }
    let mut reader =
        csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let columns = columns(&mut reader)?;
    let mut predictions = BTreeMap::new();
    let mut bad_lines = 0;
    let mut skipped = Vec::new();
    let mut line = csv::ByteRecord::new();
    loop {
        let place = reader.position().line();
        match reader.read_byte_record(&mut line) {
            Ok(false) => break,
            Ok(true) => match prediction(&line, columns) {
                Ok((cve, epss)) => {
                    predictions.insert(cve, epss);
                    continue;
                }
                Err(reason) => note(&mut skipped, place, reason),
            },
            Err(_) => note(&mut skipped, place, "line is not CSV"),
        }
        bad_lines += 1;
    }
    if bad_lines > SKIPPED_MAX {
        let reason = format!("{} more lines could not be read", bad_lines - SKIPPED_MAX);
        skipped.push(Skipped { place: "table".to_owned(), reason });
    }
    Ok((predictions, skipped))
}

fn note(skipped: &mut Vec<Skipped>, line: u64, reason: &str) {
    if skipped.len() < SKIPPED_MAX {
        skipped.push(Skipped { place: format!("line {line}"), reason: reason.to_owned() });
    }
}

/// Where the three columns stand.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<[usize; 3], FeedError> {
    let heads = reader.byte_headers().map_err(|_| FeedError::NotEpss)?;
    let column = |name: &[u8]| heads.iter().position(|head| head == name).ok_or(FeedError::NotEpss);
    Ok([column(b"cve")?, column(b"epss")?, column(b"percentile")?])
}

fn prediction(line: &csv::ByteRecord, [cve, score, percentile]: [usize; 3]) -> Result<(String, Epss), &'static str> {
    let text = |column| line.get(column).and_then(|field| std::str::from_utf8(field).ok()).unwrap_or_default();
    let share = |column| text(column).parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let name = text(cve);
    if !name.starts_with("CVE-") || name.len() > WORD_BYTES_MAX {
        return Err("first column is not a CVE");
    }
    let score = share(score).ok_or("epss is not a number from 0 to 1")?;
    let percentile = share(percentile).ok_or("percentile is not a number from 0 to 1")?;
    Ok((name.to_owned(), Epss { score, percentile }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_line_by_line_and_bad_lines_are_told() {
        let table = "#model_version:v2025.03.14,score_date:2025-07-24T12:55:00Z\ncve,epss,percentile\n\
                     CVE-1999-0001,0.01107,0.77213\nCVE-1999-0002,2,0.9\nDSA-1,0.1,0.1\nCVE-1999-0003,0.90339\n\
                     CVE-1999-0004,0.9,0.99\n";
        let (predictions, skipped) = parse(table.as_bytes()).unwrap();
        assert_eq!(predictions.keys().collect::<Vec<_>>(), ["CVE-1999-0001", "CVE-1999-0004"]);
        assert_eq!(predictions["CVE-1999-0001"], Epss { score: 0.01107, percentile: 0.77213 });
        let told: Vec<_> = skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect();
        assert_eq!(
            told,
            [
                "line 4: epss is not a number from 0 to 1",
                "line 5: first column is not a CVE",
                "line 6: percentile is not a number from 0 to 1"
            ]
        );
    }

    #[test]
    fn a_table_with_other_columns_is_refused() {
        for other in ["", "a,b,c\n1,2,3\n", "#model_version:1\n"] {
            assert!(matches!(parse(other.as_bytes()), Err(FeedError::NotEpss)), "{other:?}");
        }
    }
}
