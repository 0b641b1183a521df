//! CVSS 4.0: "Common Vulnerability Scoring System version 4.0: Specification Document" (FIRST, 2023), metrics in
//! chapters 2 to 5, scoring in chapter 8.
//!
//! There is no formula: metrics fall into six equivalence classes (EQ), whose levels make up a macro vector, which
//! experts gave a score ([`lookup`]). From there a vector goes down towards the next lower macro vectors in proportion
//! to how far it stands from the worst vectors of its own.

mod lookup;

use crate::{
    Rating, Score, Scores, Vector, Version,
    vector::{Group, Metric},
};

const fn metric(name: &'static str, group: Group, values: &'static [&'static str]) -> Metric {
    Metric { name, group, values }
}

/// In the order of §7.
pub(crate) const METRICS: &[Metric] = &[
    metric("AV", Group::Base, &["N", "A", "L", "P"]),
    metric("AC", Group::Base, &["L", "H"]),
    metric("AT", Group::Base, &["N", "P"]),
    metric("PR", Group::Base, &["N", "L", "H"]),
    metric("UI", Group::Base, &["N", "P", "A"]),
    metric("VC", Group::Base, &["H", "L", "N"]),
    metric("VI", Group::Base, &["H", "L", "N"]),
    metric("VA", Group::Base, &["H", "L", "N"]),
    metric("SC", Group::Base, &["H", "L", "N"]),
    metric("SI", Group::Base, &["H", "L", "N"]),
    metric("SA", Group::Base, &["H", "L", "N"]),
    metric("E", Group::Temporal, &["X", "A", "P", "U"]),
    metric("CR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("IR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("AR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("MAV", Group::Environmental, &["X", "N", "A", "L", "P"]),
    metric("MAC", Group::Environmental, &["X", "L", "H"]),
    metric("MAT", Group::Environmental, &["X", "N", "P"]),
    metric("MPR", Group::Environmental, &["X", "N", "L", "H"]),
    metric("MUI", Group::Environmental, &["X", "N", "P", "A"]),
    metric("MVC", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MVI", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MVA", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MSC", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MSI", Group::Environmental, &["X", "S", "H", "L", "N"]),
    metric("MSA", Group::Environmental, &["X", "S", "H", "L", "N"]),
    metric("S", Group::Supplemental, &["X", "N", "P"]),
    metric("AU", Group::Supplemental, &["X", "N", "Y"]),
    metric("R", Group::Supplemental, &["X", "A", "U", "I"]),
    metric("V", Group::Supplemental, &["X", "D", "C"]),
    metric("RE", Group::Supplemental, &["X", "L", "M", "H"]),
    metric("U", Group::Supplemental, &["X", "Clear", "Green", "Amber", "Red"]),
];

pub(crate) fn scores(vector: &Vector) -> Scores {
    let without_environment = vector.without(Group::Environmental);
    let base = score(&without_environment.without(Group::Temporal));
    let temporal = vector.sets(Group::Temporal).then(|| score(&without_environment));
    let environmental = vector.sets(Group::Environmental).then(|| score(vector));
    let most_specific = environmental.or(temporal).unwrap_or(base);
    let severity = Rating::of(most_specific);
    Scores { version: Version::V40.as_str(), base, temporal, environmental, score: most_specific, severity }
}

/// How far each metric's effective value stands below the metric's worst, in steps.
struct Steps {
    /// Attack vector, privileges, interaction.
    access: [usize; 3],
    /// Attack complexity, attack requirements.
    complexity: [usize; 2],
    /// Confidentiality, integrity, availability of the vulnerable system, and below the requirements for the three.
    vulnerable: [usize; 3],
    required: [usize; 3],
    /// The three of subsequent systems. The worst is safety, so that "high" is one step below.
    subsequent: [usize; 3],
    exploited: usize,
}

impl Steps {
    fn of(vector: &Vector) -> Self {
        // A metric that is not defined counts as its worst value: E as attacked, a requirement as high (§3.1, §4.1).
        let steps = |worst_first: &str, modified: &str, metric: &str| {
            let value = vector.get(modified).or_else(|| vector.get(metric));
            value.and_then(|value| worst_first.find(value)).unwrap_or(0)
        };
        Self {
            access: [steps("NALP", "MAV", "AV"), steps("NLH", "MPR", "PR"), steps("NPA", "MUI", "UI")],
            complexity: [steps("LH", "MAC", "AC"), steps("NP", "MAT", "AT")],
            vulnerable: [steps("HLN", "MVC", "VC"), steps("HLN", "MVI", "VI"), steps("HLN", "MVA", "VA")],
            required: ["CR", "IR", "AR"].map(|metric| steps("HML", metric, metric)),
            subsequent: [steps("SHLN", "MSC", "SC"), steps("SHLN", "MSI", "SI"), steps("SHLN", "MSA", "SA")],
            exploited: steps("APU", "E", "E"),
        }
    }

    fn no_impact(&self) -> bool {
        self.vulnerable == [2; 3] && self.subsequent == [3; 3]
    }
}

/// The levels of the equivalence classes, 0 being the worst (§8.2).
#[derive(Clone, Copy)]
struct MacroVector {
    eq1: usize,
    eq2: usize,
    /// EQ3 and EQ6 are not independent and make one class of five levels: 00, 01, 10, 11, 21.
    eq3_and_6: usize,
    eq4: usize,
    eq5: usize,
}

impl MacroVector {
    fn of(steps: &Steps) -> Self {
        let [attack_vector, ..] = steps.access;
        let [confidentiality, integrity, _] = steps.vulnerable;
        let [_, subsequent_integrity, subsequent_availability] = steps.subsequent;
        let high_and_required =
            steps.vulnerable.iter().zip(&steps.required).any(|(high, required)| high + required == 0);
        Self {
            eq1: match steps.access {
                [0, 0, 0] => 0,
                _ if attack_vector != 3 && steps.access.contains(&0) => 1,
                _ => 2,
            },
            eq2: usize::from(steps.complexity != [0, 0]),
            eq3_and_6: match (confidentiality + integrity == 0, steps.vulnerable.contains(&0), high_and_required) {
                (true, _, true) => 0,
                (true, _, false) => 1,
                (false, true, true) => 2,
                (false, true, false) => 3,
                (false, false, _) => 4,
            },
            eq4: match steps.subsequent {
                _ if subsequent_integrity == 0 || subsequent_availability == 0 => 0,
                high if high.contains(&1) => 1,
                _ => 2,
            },
            eq5: steps.exploited,
        }
    }

    fn row(self) -> usize {
        (self.eq1 * 2 + self.eq2) * 5 + self.eq3_and_6
    }

    fn tenths(self) -> i64 {
        i64::from(lookup::TENTHS[self.row()][self.eq4 * 3 + self.eq5])
    }

    /// For each class that has a lower level: the score there (of two such macro vectors the higher), the steps between
    /// the vector and the worst ones of its macro vector, and how many there are to the lower level (§8.2; FIRST's
    /// calculator, files `max_composed` and `max_severity`). All worst vectors of a level lie equally many steps below
    /// the metrics' worst values, so it is enough to know how many.
    fn lower(self, steps: &Steps) -> impl Iterator<Item = (i64, i64, i64)> {
        const EQ3_AND_6: [&[usize]; 5] = [&[1, 2], &[3], &[3], &[4], &[]];
        let eq1 = (self.eq1 < 2).then(|| Self { eq1: self.eq1 + 1, ..self }.tenths());
        let eq2 = (self.eq2 < 1).then(|| Self { eq2: self.eq2 + 1, ..self }.tenths());
        let lower = EQ3_AND_6[self.eq3_and_6].iter();
        let eq3_and_6 = lower.map(|level| Self { eq3_and_6: *level, ..self }.tenths()).max();
        let eq4 = (self.eq4 < 2).then(|| Self { eq4: self.eq4 + 1, ..self }.tenths());
        let eq5 = (self.eq5 < 2).then(|| Self { eq5: self.eq5 + 1, ..self }.tenths());

        let below = |metrics: &[usize], worst: usize| metrics.iter().sum::<usize>() - worst;
        let vulnerable = [steps.vulnerable, steps.required].concat();
        [
            (eq1, below(&steps.access, [0, 1, 3][self.eq1]), [1, 4, 5][self.eq1]),
            (eq2, below(&steps.complexity, [0, 1][self.eq2]), [1, 2][self.eq2]),
            (eq3_and_6, below(&vulnerable, [0, 3, 1, 3, 3][self.eq3_and_6]), [7, 6, 8, 8, 10][self.eq3_and_6]),
            (eq4, below(&steps.subsequent, [1, 3, 6][self.eq4]), [6, 5, 4][self.eq4]),
            (eq5, 0, 1), // each level of EQ5 is one value
        ]
        .into_iter()
        .filter_map(|(lower, steps, depth)| Some((lower?, steps as i64, depth)))
    }
}

/// §8.2. In integers, so that halves are halves: `WHOLE` can be divided by every depth.
fn score(vector: &Vector) -> Score {
    const WHOLE: i64 = 840;
    let steps = Steps::of(vector);
    if steps.no_impact() {
        return Score::NONE;
    }
    let macro_vector = MacroVector::of(&steps);
    let worst = macro_vector.tenths();
    let (mut reductions, mut classes) = (0, 0);
    for (lower, steps, depth) in macro_vector.lower(&steps) {
        reductions += (worst - lower) * steps * (WHOLE / depth);
        classes += 1;
    }
    if classes == 0 {
        return Score::of_tenths(worst); // the lowest macro vector of all
    }
    let parts = WHOLE * classes;
    Score::of_tenths((2 * (worst * parts - reductions) + parts).div_euclid(2 * parts)) // halves up
}
