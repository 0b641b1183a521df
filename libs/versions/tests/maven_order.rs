//! Maven's own rule, written down as its specification tells it, with lists in lists and no keys: our order is that one,
//! except where it contradicts itself (see `src/maven.rs`).

use muster_versions::Scheme;
use proptest::prelude::*;
use std::cmp::Ordering::{self, Equal, Greater, Less};

#[derive(Debug, PartialEq)]
enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

impl Item {
    fn is_nothing(&self) -> bool {
        match self {
            Item::Number(digits) => digits.is_empty(),
            Item::Word(letters) => letters.is_empty(),
            Item::List(items) => items.is_empty(),
        }
    }

    /// Against a place where the other version has ended.
    fn against_nothing(&self) -> Ordering {
        match self {
            Item::Number(digits) => digits.len().cmp(&0),
            Item::Word(letters) => rank(letters).cmp(&rank("")),
            Item::List(items) => items.iter().map(Item::against_nothing).find(|order| *order != Equal).unwrap_or(Equal),
        }
    }

    fn against(&self, other: &Item) -> Ordering {
        let kind = |item: &Item| match item {
            Item::Word(_) => 0,
            Item::List(_) => 1,
            Item::Number(_) => 2,
        };
        match (self, other) {
            (Item::Number(a), Item::Number(b)) => (a.len(), a).cmp(&(b.len(), b)),
            (Item::Word(a), Item::Word(b)) => rank(a).cmp(&rank(b)),
            (Item::List(a), Item::List(b)) => lists(a, b),
            (a, b) => kind(a).cmp(&kind(b)),
        }
    }
}

fn rank(letters: &str) -> (usize, &str) {
    let place = QUALIFIERS.iter().position(|qualifier| *qualifier == letters);
    place.map_or((QUALIFIERS.len(), letters), |place| (place, ""))
}

fn lists(a: &[Item], b: &[Item]) -> Ordering {
    for place in 0..a.len().max(b.len()) {
        let order = match (a.get(place), b.get(place)) {
            (Some(a), Some(b)) => a.against(b),
            (Some(a), None) => a.against_nothing(),
            (None, Some(b)) => b.against_nothing().reverse(),
            (None, None) => Equal,
        };
        if order != Equal {
            return order;
        }
    }
    Equal
}

/// Reads letter by letter: `lists` are the open ones, each the end of the one before.
fn parse(version: &str) -> Vec<Item> {
    let mut lists: Vec<Vec<Item>> = vec![Vec::new()];
    let mut part = String::new();
    let mut letters = version.to_ascii_lowercase().chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' | '-' => {
                let item = if part.is_empty() { Item::Number(String::new()) } else { item(&part, false) };
                lists.last_mut().unwrap().push(item);
                part.clear();
                if letter == '-' {
                    lists.push(Vec::new());
                }
                continue;
            }
            letter => part.push(letter),
        }
        let is_digit = letter.is_ascii_digit();
        let next_is_other =
            letters.peek().is_some_and(|next| !".-".contains(*next) && next.is_ascii_digit() != is_digit);
        if next_is_other || letters.peek().is_none() {
            if !is_digit && !lists.last().unwrap().is_empty() {
                lists.push(Vec::new());
            }
            lists.last_mut().unwrap().push(item(&part, next_is_other));
            part.clear();
            if next_is_other {
                lists.push(Vec::new());
            }
        }
    }
    let mut inner: Option<Vec<Item>> = None;
    for mut list in lists.into_iter().rev() {
        list.extend(inner.filter(|inner| !inner.is_empty()).map(Item::List));
        let end = list.len() - usize::from(matches!(list.last(), Some(Item::List(_))));
        let kept = list[..end].iter().rposition(|item| !item.is_nothing()).map_or(0, |last| last + 1);
        list.drain(kept..end);
        inner = Some(list);
    }
    inner.unwrap_or_default()
}

fn item(part: &str, before_digit: bool) -> Item {
    if part.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Item::Number(part.trim_start_matches('0').to_owned());
    }
    let letters = match part {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        part => part,
    };
    Item::Word(letters.to_owned())
}

/// Maven puts the later before the earlier although a beginning of one of them stands between.
fn is_circle(a: &str, b: &str, order: Ordering) -> bool {
    let (earlier, later) = if order == Greater { (a, b) } else { (b, a) };
    let (earlier, later) = (parse(earlier), parse(later));
    [a, b]
        .iter()
        .flat_map(|whole| (1..whole.len()).map(|end| parse(&whole[..end])))
        .any(|beginning| lists(&earlier, &beginning) == Less && lists(&beginning, &later) == Less)
}

fn version() -> impl Strategy<Value = String> {
    let words = ["a", "alpha", "b", "beta", "m", "rc", "cr", "x", "foo", "ga", "final", "sp", "SNAPSHOT", "redhat"];
    let part = prop_oneof![
        3 => "[0-3]",
        1 => "[0-9]{1,3}",
        5 => prop::sample::select(vec![".", "-"]).prop_map(str::to_owned),
        3 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 1..9).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_order_is_mavens_where_mavens_is_one(a in version(), b in version(), common in "1[.-][0-2]?") {
        for (a, b) in [(a.clone(), b.clone()), (format!("{common}{a}"), format!("{common}{b}"))] {
            let expected = lists(&parse(&a), &parse(&b));
            let ours = Scheme::Maven.compare(&a, &b).unwrap();
            prop_assert!(ours == expected || is_circle(&a, &b, expected), "`{a}` against `{b}`: {ours:?}, Maven {expected:?}");
        }
    }
}

#[test]
fn the_rule_as_written_here_is_the_one_that_maven_follows() {
    let path = format!("{}/tests/fixtures/maven.tsv", env!("CARGO_MANIFEST_DIR"));
    for row in std::fs::read_to_string(path).unwrap().lines() {
        let [a, b, answer] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("`{row}` is no row") };
        let order = match lists(&parse(a), &parse(b)) {
            Less => "<",
            Equal => "=",
            Greater => ">",
        };
        assert_eq!(order, answer, "`{a}` against `{b}`");
    }
}
