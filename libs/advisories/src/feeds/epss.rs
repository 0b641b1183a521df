//! The Exploit Prediction Scoring System's daily table (first.org/epss, "Data", read 2026-11-24): a comment line
//! `#model_version:…,score_date:…`, a head line `cve,epss,percentile`, then one CVE a line.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX};
use muster_domain::Epss;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(b"#model_version") || head.text.starts_with(b"cve,epss")
}

/// A document is a whole table.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let mut table =
        csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).trim(csv::Trim::All).from_reader(document.bytes);
    let columns = columns(&mut table)?;
    let mut line = csv::ByteRecord::new();
    loop {
        let place = table.position().line();
        match table.read_byte_record(&mut line) {
            Ok(false) => return Ok(()),
            Ok(true) => match prediction(&line, columns) {
                Ok((cve, epss)) => sink(Item::Epss(cve, epss)),
                Err(reason) => sink(Item::skipped(format!("line {place}"), reason)),
            },
            Err(_) => sink(Item::skipped(format!("line {place}"), "line is not CSV")),
        }
    }
}

/// Where the three columns stand.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<[usize; 3], FeedError> {
    let heads = reader.byte_headers().map_err(|_| not_epss())?;
    let column = |name: &[u8]| heads.iter().position(|head| head == name).ok_or_else(not_epss);
    Ok([column(b"cve")?, column(b"epss")?, column(b"percentile")?])
}

fn not_epss() -> FeedError {
    FeedError::NotThis { format: "EPSS", why: "its first line does not name `cve`, `epss` and `percentile`".to_owned() }
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
        let (mut predicted, mut told) = (Vec::new(), Vec::new());
        let document = Document { name: "epss.csv", bytes: table.as_bytes() };
        parse(&document, &mut |item| match item {
            Item::Epss(cve, epss) => predicted.push((cve, epss.score, epss.percentile)),
            Item::Skipped(skipped) => told.push(format!("{}: {}", skipped.place, skipped.reason)),
            other => panic!("{other:?}"),
        })
        .unwrap();
        assert_eq!(
            predicted,
            [("CVE-1999-0001".to_owned(), 0.01107, 0.77213), ("CVE-1999-0004".to_owned(), 0.9, 0.99)]
        );
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
            let document = Document { name: "epss.csv", bytes: other.as_bytes() };
            assert!(matches!(parse(&document, &mut |_| {}), Err(FeedError::NotThis { .. })), "{other:?}");
        }
    }
}
