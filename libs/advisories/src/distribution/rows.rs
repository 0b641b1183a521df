//! The difference of two tables, row by row and column by column.
//!
//! One advisory more shifts every reference to what comes after it: most rows of most tables change, but each by a number
//! that was seen before. So a row is told by what it differs from what was expected: its counterpart in the old
//! table, each 32-bit column shifted as values near it were shifted before (`Column`). Where that is right, the
//! difference is zero, and zeros cost nothing.
//!
//! Both sides learn the shifts as they go, so nobody has to write down which column refers to what, and a new layout needs
//! nothing here. A row without a counterpart is told by its difference from the row above.
//!
//! ```text
//! number of runs (u32) | runs: old rows left out, rows with a counterpart, rows without (3 x u32) | differences, by column
//! ```

use std::collections::BTreeMap;

/// Columns are 32-bit numbers, as the layout's references are. Wider ones are two, narrower ones four in one.
const WORD: usize = 4;

/// Most shifts that a column remembers: about 1 MiB each, and far more than an epoch has new records.
const SHIFTS_MAX: usize = 1 << 16;

/// How many rows ahead a lost counterpart is looked for. An advisory that lists versions adds a thousand rows at one place.
const LOOK_AHEAD: usize = 4_096;

/// So many rows may change in a row before their neighbours are taken for strangers.
const CHANGED: usize = 8;

/// So many rows in a row must match for a counterpart to be found again.
const MATCHES: usize = 4;

/// Most rows that are compared in search of counterparts, per chunk: some seconds. Tables that need more have nothing in common.
const COMPARISONS_MAX: usize = 20_000_000;

/// What a column's values became.
#[derive(Default)]
struct Column {
    /// From this old value on, values are shifted by so much (wrapping).
    shifts: BTreeMap<u32, u32>,
    /// How often the shift was right, and how often no shift at all: some columns don't refer to anything.
    shifted: u32,
    same: u32,
}

impl Column {
    fn expect(&self, old: u32) -> u32 {
        if self.same > self.shifted { old } else { self.shift(old) }
    }

    fn shift(&self, old: u32) -> u32 {
        old.wrapping_add(self.shifts.range(..=old).next_back().map_or(0, |(_, shift)| *shift))
    }

    fn learn(&mut self, old: u32, new: u32) {
        let right = self.shift(old) == new;
        self.shifted += u32::from(right);
        self.same += u32::from(old == new);
        if !right && self.shifts.len() < SHIFTS_MAX {
            self.shifts.insert(old, new.wrapping_sub(old));
        }
    }
}

/// Rows of one width in a piece of a file.
#[derive(Clone, Copy)]
struct Rows<'a> {
    bytes: &'a [u8],
    columns: usize,
}

impl Rows<'_> {
    fn len(self) -> usize {
        self.bytes.len() / (self.columns * WORD)
    }

    fn word(self, row: usize, column: usize) -> u32 {
        word(self.bytes, row * self.columns + column)
    }

    /// From the row above; the first row has none.
    fn step(self, row: usize, column: usize) -> Option<u32> {
        let above = row.checked_sub(1)?;
        Some(self.word(row, column).wrapping_sub(self.word(above, column)))
    }
}

fn word(bytes: &[u8], place: usize) -> u32 {
    let at = place * WORD;
    u32::from_le_bytes(bytes[at..at + WORD].try_into().expect("four bytes"))
}

/// Whether rows of this width are told apart here.
pub(super) fn fits(row_bytes: usize) -> bool {
    row_bytes >= WORD && row_bytes.is_multiple_of(WORD)
}

/// A stretch of rows that are treated alike.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Run {
    left_out: u32,
    paired: u32,
    added: u32,
}

/// What makes `new` of `old`, and how many rows of `old` it looks at. Both have whole rows, and `fits(row_bytes)`.
pub(super) fn make(old: &[u8], new: &[u8], row_bytes: usize) -> (Vec<u8>, usize) {
    let columns = row_bytes / WORD;
    let (old, new) = (Rows { bytes: old, columns }, Rows { bytes: new, columns });
    let mut maker = Maker { old, new, model: model(columns), comparisons: 0 };
    let mut differences = vec![0; new.bytes.len()];
    let mut runs: Vec<Run> = Vec::new();
    let (mut at_old, mut at_new) = (0, 0);
    while at_new < new.len() {
        let (left_out, added) = maker.next_pair(at_old, at_new);
        at_old += left_out;
        for _ in 0..added {
            put(&mut differences, new, at_new, |column| above(new.bytes, columns, at_new, column));
            at_new += 1;
        }
        let paired = at_new < new.len() && at_old < old.len();
        if paired {
            put(&mut differences, new, at_new, |column| maker.model[column].expect(old.word(at_old, column)));
            for (column, model) in maker.model.iter_mut().enumerate() {
                model.learn(old.word(at_old, column), new.word(at_new, column));
            }
            at_old += 1;
            at_new += 1;
        }
        note(&mut runs, left_out, added, paired);
    }
    let mut made = Vec::with_capacity(WORD + runs.len() * 3 * WORD + differences.len());
    made.extend((runs.len() as u32).to_le_bytes());
    for number in runs.iter().flat_map(|run| [run.left_out, run.paired, run.added]) {
        made.extend(number.to_le_bytes());
    }
    made.extend(differences);
    (made, at_old)
}

/// Joins what goes on as before. Added rows are the last of their run, rows left out come before a pair.
fn note(runs: &mut Vec<Run>, left_out: usize, added: usize, paired: bool) {
    // Below 2^23 rows in a chunk.
    let (left_out, added) = (left_out as u32, added as u32);
    match runs.last_mut() {
        Some(last) => last.added += added,
        None => runs.push(Run { added, ..Run::default() }),
    }
    match runs.last_mut().filter(|last| left_out == 0 && last.added == 0) {
        Some(last) => last.paired += u32::from(paired),
        None if paired => runs.push(Run { left_out, paired: 1, added: 0 }),
        None => {}
    }
}

struct Maker<'a> {
    old: Rows<'a>,
    new: Rows<'a>,
    model: Vec<Column>,
    comparisons: usize,
}

impl Maker<'_> {
    /// How many old rows to leave out, or how many new rows to add, before the next pair.
    fn next_pair(&mut self, old: usize, new: usize) -> (usize, usize) {
        if old == self.old.len() {
            return (0, self.new.len() - new);
        }
        if self.alike(old, new) || self.comparisons >= COMPARISONS_MAX {
            return (0, 0);
        }
        // Changed among others that are alike.
        if (0..CHANGED).any(|ahead| self.all_alike(old + ahead, new + ahead, MATCHES)) {
            return (0, 0);
        }
        for ahead in 1..=LOOK_AHEAD {
            let matches = MATCHES + ahead / 32; // the farther, the likelier by chance
            if self.all_alike(old, new + ahead, matches) {
                return (0, ahead);
            }
            if self.all_alike(old + ahead, new, matches) {
                return (ahead, 0);
            }
        }
        (0, 0)
    }

    /// The rows behind these: these may be the first after a change, where steps are not as before.
    fn all_alike(&mut self, old: usize, new: usize, matches: usize) -> bool {
        (1..=matches).all(|ahead| {
            self.comparisons += 1;
            self.alike(old + ahead, new + ahead)
        })
    }

    /// Whether the rows are likely the same one: each column as expected, or as far from the row above as it was before,
    /// speaks for it. One that goes on as in the rows above (a constant, a count) says a third: it would in any row.
    fn alike(&self, old: usize, new: usize) -> bool {
        if old >= self.old.len() || new >= self.new.len() {
            return false;
        }
        let (mut right, mut wrong) = (0, 0);
        for (column, model) in self.model.iter().enumerate() {
            let step = self.new.step(new, column);
            let expected = model.expect(self.old.word(old, column)) == self.new.word(new, column);
            match expected || (step.is_some() && step == self.old.step(old, column)) {
                true if step.is_none() || step == Some(0) || step == self.new.step(new - 1, column) => right += 1,
                true => right += 3,
                false => wrong += 3,
            }
        }
        right > wrong
    }
}

/// The new rows (`new_bytes` of them) that `made` makes of `old`; `None`: it is no difference of such tables.
pub(super) fn apply(old: &[u8], made: &[u8], new_bytes: usize, row_bytes: usize) -> Option<Vec<u8>> {
    if !fits(row_bytes) || !new_bytes.is_multiple_of(row_bytes) || !old.len().is_multiple_of(row_bytes) {
        return None;
    }
    let columns = row_bytes / WORD;
    let (count, rest) = made.split_at_checked(WORD)?;
    let runs_bytes = (word(count, 0) as usize).checked_mul(3 * WORD)?;
    let (runs, differences) = rest.split_at_checked(runs_bytes)?;
    if differences.len() != new_bytes {
        return None;
    }
    let old = Rows { bytes: old, columns };
    let (mut model, mut new) = (model(columns), Vec::with_capacity(new_bytes));
    let rows = new_bytes / row_bytes;
    let difference = |row: usize, column: usize| word(differences, column * rows + row);
    let (mut at_old, mut at_new) = (0usize, 0usize);
    for run in runs.chunks_exact(3 * WORD) {
        let [left_out, paired, added] = [0, 1, 2].map(|place| word(run, place) as usize);
        at_old = at_old.checked_add(left_out)?;
        if at_old.checked_add(paired)? > old.len() || at_new.checked_add(paired)?.checked_add(added)? > rows {
            return None;
        }
        for _ in 0..paired {
            for (column, model) in model.iter_mut().enumerate() {
                let before = old.word(at_old, column);
                let after = model.expect(before).wrapping_add(difference(at_new, column));
                model.learn(before, after);
                new.extend(after.to_le_bytes());
            }
            at_old += 1;
            at_new += 1;
        }
        for _ in 0..added {
            for column in 0..columns {
                let after = above(&new, columns, at_new, column).wrapping_add(difference(at_new, column));
                new.extend(after.to_le_bytes());
            }
            at_new += 1;
        }
    }
    (at_new == rows).then_some(new)
}

fn model(columns: usize) -> Vec<Column> {
    (0..columns).map(|_| Column::default()).collect()
}

fn above(new: &[u8], columns: usize, row: usize, column: usize) -> u32 {
    row.checked_sub(1).map_or(0, |above| word(new, above * columns + column))
}

fn put(differences: &mut [u8], new: Rows<'_>, row: usize, expected: impl Fn(usize) -> u32) {
    for column in 0..new.columns {
        let difference = new.word(row, column).wrapping_sub(expected(column));
        let at = (column * new.len() + row) * WORD;
        differences[at..at + WORD].copy_from_slice(&difference.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rows as the database has them: two references that go up with the row, one here and there, a constant, a digest.
    fn table(rows: &[u32]) -> Vec<u8> {
        let row = |(place, &name): (usize, &u32)| {
            let elsewhere =
                rows.iter().filter(|other| **other < name.wrapping_mul(2_654_435_761) % 100_000).count() as u32;
            [
                place as u32 * 3,
                1_000 + 7 * place as u32,
                elsewhere,
                u32::MAX,
                name.wrapping_mul(name).wrapping_mul(0x9e37_79b9),
            ]
        };
        rows.iter().enumerate().flat_map(row).flat_map(u32::to_le_bytes).collect()
    }

    fn made(old: &[u8], new: &[u8], row_bytes: usize) -> Vec<u8> {
        let (made, seen) = make(old, new, row_bytes);
        let looked_at = &old[..seen * row_bytes];
        assert!(apply(looked_at, &made, new.len(), row_bytes).as_deref() == Some(new));
        made
    }

    #[test]
    fn one_row_more_or_less_costs_some_bytes_although_every_row_changes() {
        let rows: Vec<u32> = (0..5_000).map(|row| row * 10).collect();
        let old = table(&rows);
        let check = |what: &str, change: &dyn Fn(&mut Vec<u32>), bytes_max: usize| {
            let mut rows = rows.clone();
            change(&mut rows);
            let packed = zstd::bulk::compress(&made(&old, &table(&rows), 20), 12).unwrap();
            assert!(packed.len() <= bytes_max, "{what}: {} bytes", packed.len());
        };
        check("nothing", &|_| {}, 40);
        check("one more", &|rows| rows.insert(2_000, 19_995), 150);
        check("one more at the start", &|rows| rows.insert(0, 1), 150);
        check("one more at the end", &|rows| rows.push(99_999), 150);
        check("one less", &|rows| assert_eq!(rows.remove(3_000), 30_000), 150);
        check("another", &|rows| rows[2_500] += 3, 150);
        check("a thousand more at one place", &|rows| drop(rows.splice(700..700, 6_990..7_990)), 8_000);
        check("a thousand less", &|rows| drop(rows.drain(700..1_700)), 700);
        check(
            "twenty here and there",
            &|rows| (0..20).for_each(|place| rows.insert(place * 230, place as u32 * 2_299)),
            2_500,
        );
    }

    #[test]
    fn tables_with_nothing_in_common_come_out_too() {
        made(b"", &table(&[1, 2, 3]), 20);
        made(&table(&[1, 2, 3]), b"", 20);
        made(b"", b"", 20);
        made(&table(&[5; 300]), &table(&[9; 20]), 20);
    }

    #[test]
    fn a_difference_that_lies_is_refused() {
        let (old, new) = (table(&[1, 2, 3]), table(&[1, 3, 4, 5]));
        let good = made(&old, &new, 20);
        assert!(apply(&old, &good, new.len(), 20).is_some());
        let refused = |made: &[u8], new_bytes: usize, row_bytes: usize| {
            assert!(apply(&old, made, new_bytes, row_bytes).is_none());
        };
        refused(b"", new.len(), 20);
        refused(&good[..good.len() - 1], new.len(), 20);
        refused(&[&good[..], b"x"].concat(), new.len(), 20);
        refused(&good, new.len() - 20, 20);
        refused(&good, new.len() - 1, 20);
        refused(&good, new.len(), 40); // not a whole number of old rows
        for row_bytes in [0, 1, 3, 6] {
            refused(&good, new.len(), row_bytes);
        }
        let with = |at: usize, number: u32| {
            let mut made = good.clone();
            made[at..at + 4].copy_from_slice(&number.to_le_bytes());
            made
        };
        refused(&with(0, u32::MAX), new.len(), 20); // runs
        refused(&with(4, u32::MAX), new.len(), 20); // rows left out
        refused(&with(8, u32::MAX), new.len(), 20); // rows with a counterpart
        refused(&with(12, u32::MAX), new.len(), 20); // rows without
    }

    proptest! {
        #[test]
        fn any_table_comes_out_of_any_other(
            old in proptest::collection::vec(0u32..6, 0..400),
            new in proptest::collection::vec(0u32..6, 0..400),
            columns in 1usize..5,
        ) {
            let bytes = |words: &[u32]| -> Vec<u8> {
                words[..words.len() / columns * columns].iter().flat_map(|word| word.to_le_bytes()).collect()
            };
            made(&bytes(&old), &bytes(&new), columns * WORD);
        }

        #[test]
        fn any_bytes_are_a_difference_or_none(
            made in proptest::collection::vec(0u8..4, 0..200),
            rows in 0usize..20,
        ) {
            let _ = apply(&table(&[1, 2, 3]), &made, rows * 20, 20);
        }
    }
}
