//! One path as a picture: boxes in rows from the edge inwards, as SVG 1.1 (W3C, second edition, 2011) that a browser
//! shows in its light or dark colours and a screen reader reads out.

use crate::why::{Answer, Blocker, Candidate, Question, Verdict, component_type};
use muster_domain::{Reachability, Step};
use std::fmt::Write;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The heading, one line.
    pub title: String,
    /// Under the heading, one line: who can, or over what.
    pub subtitle: String,
    /// Written in the first box, which stands for whoever connects.
    pub source: String,
    /// From the source inwards.
    pub steps: Vec<Step>,
    /// The first thing that stops it.
    pub blocked_by: Option<Blocker>,
    /// What stands under the boxes, a paragraph each.
    pub notes: Vec<String>,
}

/// Boxes in one row: with five, ids are readable on a page as wide as a sheet of paper.
const ROW: usize = 5;
const BOX_WIDTH: usize = 184;
const BOX_HEIGHT: usize = 60;
const GAP: usize = 36;
const MARGIN: usize = 24;
/// From one row's top to the next one's: the arrow that turns needs the space between.
const ROW_PITCH: usize = BOX_HEIGHT + 44;
/// Heading and subtitle stand above.
const FIRST_ROW: usize = 84;
const LINE_HEIGHT: usize = 20;
/// Inspector's paths have at most 30 steps; twice as many leave room for replies over several gateways. What is beyond
/// is counted, not drawn.
const BOXES_MAX: usize = 60;
/// Lines under the boxes; what is beyond is counted.
const LINES_MAX: usize = 40;
/// A screen reader reads it out in one go: two minutes are enough.
const DESCRIPTION_CHARACTERS: usize = 2000;
/// Characters of the 11-point typewriter face that fit into a box.
const ID_CHARACTERS: usize = 25;
/// Width of an average character of the 14-pixel face, in pixels.
const CHARACTER_WIDTH: usize = 8;

/// The picture of one path as an SVG document.
pub fn picture(subject: impl Into<Picture>) -> String {
    draw(&subject.into())
}

impl From<&Reachability> for Picture {
    fn from(reachability: &Reachability) -> Self {
        let Reachability { protocol, port_begin, port_end, edge, resource, .. } = reachability;
        let ports = if port_begin == port_end { port_begin.to_string() } else { format!("{port_begin}-{port_end}") };
        let shown = reachability.sources.iter().take(SOURCES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = reachability.sources.len().saturating_sub(SOURCES_SHOWN);
        let more = if rest > 0 { format!(" and {rest} more blocks") } else { String::new() };
        Self {
            title: format!("{resource} is reachable on {protocol} {ports} from {edge}"),
            subtitle: format!("Sources: {shown}{more}"),
            source: edge.to_string(),
            steps: reachability.path.clone(),
            blocked_by: None,
            notes: Vec::new(),
        }
    }
}

/// More blocks do not fit into the subtitle.
const SOURCES_SHOWN: usize = 4;

impl From<&Answer> for Picture {
    fn from(answer: &Answer) -> Self {
        match answer.candidates.first() {
            Some(candidate) => Self::of(&answer.question, candidate),
            None => Self {
                title: title(&answer.question, answer.verdict),
                subtitle: String::new(),
                source: answer.question.source.to_string(),
                steps: answer.path.clone(),
                blocked_by: answer.blocked_by.clone(),
                notes: notes(answer.blocked_by.as_ref(), &[], &[]),
            },
        }
    }
}

impl Picture {
    /// Of one candidate of an answer.
    pub fn of(question: &Question, candidate: &Candidate) -> Self {
        let unknown: Vec<String> =
            candidate.undetermined.iter().map(|unknown| format!("{}: {}", unknown.call, unknown.reason)).collect();
        let changes: Vec<String> = candidate.changes.iter().map(|change| change.sentence()).collect();
        Self {
            title: title(question, candidate.verdict),
            subtitle: format!("From {} to {}, over {}", candidate.source, candidate.destination, candidate.via),
            source: question.source.to_string(),
            steps: candidate.path.clone(),
            blocked_by: candidate.blocked_by.clone(),
            notes: notes(candidate.blocked_by.as_ref(), &unknown, &changes),
        }
    }
}

fn title(question: &Question, verdict: Verdict) -> String {
    let said = match verdict {
        Verdict::Reachable => "reaches",
        Verdict::Blocked => "is blocked on the way to",
        Verdict::Undetermined => "may or may not reach",
    };
    format!("{} {said} {} on {}", question.source, question.destination, question.service())
}

fn notes(blocker: Option<&Blocker>, unknown: &[String], changes: &[String]) -> Vec<String> {
    let blocked = blocker.map(|blocker| format!("Blocked at {}: {}.", blocker.component, blocker.reason));
    let unknown = unknown.iter().map(|unknown| format!("Not known: {unknown}."));
    let changes = changes.iter().enumerate().map(|(at, change)| format!("To open it, {}: {change}.", at + 1));
    blocked.into_iter().chain(unknown).chain(changes).collect()
}

/// One box.
struct Part<'a> {
    kind: String,
    id: &'a str,
    class: &'static str,
}

/// The boxes in order; the one that blocks is marked, and added when the path ends before it.
fn parts(picture: &Picture) -> (Vec<Part<'_>>, usize) {
    let source = Part { kind: "Source".into(), id: &picture.source, class: "source" };
    let mut parts = vec![source];
    let steps = picture.steps.iter();
    parts.extend(steps.map(|step| Part { kind: words(&step.component_type), id: &step.component_id, class: "step" }));
    let mut hidden = 0;
    if parts.len() > BOXES_MAX {
        hidden = parts.len() - BOXES_MAX;
        parts.truncate(BOXES_MAX);
    }
    if let Some(blocker) = &picture.blocked_by {
        match parts.iter_mut().rev().find(|part| part.class == "step" && part.id == blocker.component) {
            Some(part) => part.class = "blocked",
            None => parts.push(Part {
                kind: words(component_type(&blocker.component)),
                id: &blocker.component,
                class: "blocked",
            }),
        }
    }
    (parts, hidden)
}

/// `AWS::EC2::VPCPeeringConnection` becomes `VPC Peering Connection`.
fn words(component_type: &str) -> String {
    let name: Vec<char> = component_type.rsplit("::").next().unwrap_or_default().chars().collect();
    let mut words = String::new();
    for (at, letter) in name.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| name.get(before));
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || name.get(at + 1).is_some_and(|after| after.is_lowercase())
            });
        if begins {
            words.push(' ');
        }
        words.push(*letter);
    }
    words
}

fn draw(picture: &Picture) -> String {
    let (parts, hidden) = parts(picture);
    let columns = parts.len().clamp(3, ROW); // headings need three boxes' width
    let width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * GAP;
    let rows = parts.len().div_ceil(ROW);
    let notes_top = FIRST_ROW + rows * ROW_PITCH;
    let characters = (width - 2 * MARGIN) / CHARACTER_WIDTH;
    let mut paragraphs = picture.notes.clone();
    if hidden > 0 {
        paragraphs.push(format!("{hidden} more steps are not drawn."));
    }
    let lines = lines(&paragraphs, characters);
    let height = notes_top + lines.len() * LINE_HEIGHT + MARGIN;

    let mut svg = String::new();
    open(&mut svg, picture, width, height);
    text(&mut svg, "heading", MARGIN, 36, &cut(&picture.title, characters));
    text(&mut svg, "quiet", MARGIN, 60, &cut(&picture.subtitle, characters));
    for at in 1..parts.len() {
        arrow(&mut svg, at);
    }
    for (at, part) in parts.iter().enumerate() {
        boxed(&mut svg, at, part);
    }
    for (at, line) in lines.iter().enumerate() {
        text(&mut svg, "note", MARGIN, notes_top + at * LINE_HEIGHT, line);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Colours have a contrast of at least 4.5 to their ground (WCAG 2.2, 1.4.3), and what is blocked also has a dashed
/// border and a word.
const STYLE: &str = "\
:root{--ground:#fff;--ink:#16191f;--quiet:#545b64;--line:#687078;--fill:#f4f6f8;--bad:#b3121d;--bad-fill:#fdf0f0}\
@media(prefers-color-scheme:dark){:root{--ground:#0f1b2a;--ink:#e9ebed;--quiet:#b6bec9;--line:#95a5b8;\
--fill:#1b2a3d;--bad:#ff9f95;--bad-fill:#3a1a1f}}\
text{font:14px system-ui,sans-serif;fill:var(--ink)}.heading{font-size:16px;font-weight:700}\
.quiet,.kind{fill:var(--quiet)}.kind{font-size:12px}.id{font:11px ui-monospace,monospace}\
rect{fill:var(--fill);stroke:var(--line);stroke-width:1.5}.ground{fill:var(--ground);stroke:none}\
.blocked rect{fill:var(--bad-fill);stroke:var(--bad);stroke-width:2.5;stroke-dasharray:6 3}\
.mark{font-size:12px;font-weight:700;fill:var(--bad)}.arrow{fill:none;stroke:var(--line);stroke-width:1.5}\
.head{fill:var(--line)}";

fn open(svg: &mut String, picture: &Picture, width: usize, height: usize) {
    let mut told = vec![picture.subtitle.clone(), format!("From {}", picture.source)];
    told.extend(picture.steps.iter().map(|step| format!("then {} {}", words(&step.component_type), step.component_id)));
    told.extend(picture.notes.iter().cloned());
    let description = cut(&told.join("; "), DESCRIPTION_CHARACTERS);
    let (title, description) = (escaped(&picture.title), escaped(&description));
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"description\">{description}</desc>\n\
         <style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
    );
}

/// The top left corner of a box.
fn corner(at: usize) -> (usize, usize) {
    (MARGIN + (at % ROW) * (BOX_WIDTH + GAP), FIRST_ROW + (at / ROW) * ROW_PITCH)
}

/// From the box before to this one; at the end of a row it turns to the beginning of the next.
fn arrow(svg: &mut String, at: usize) {
    let (from, to) = (corner(at - 1), corner(at));
    let middle = BOX_HEIGHT / 2;
    let line = if from.1 == to.1 {
        format!("M{} {}H{}", from.0 + BOX_WIDTH, from.1 + middle, to.0)
    } else {
        let half = BOX_WIDTH / 2;
        let between = (ROW_PITCH - BOX_HEIGHT) / 2;
        format!("M{} {}v{between}H{}V{}", from.0 + half, from.1 + BOX_HEIGHT, to.0 + half, to.1)
    };
    let _ = writeln!(svg, "<path class=\"arrow\" d=\"{line}\" marker-end=\"url(#head)\"/>");
}

fn boxed(svg: &mut String, at: usize, part: &Part) {
    let (left, top) = corner(at);
    let class = part.class;
    let round = if class == "source" { BOX_HEIGHT / 2 } else { 6 };
    let name = escaped(&format!("{} {}", part.kind, part.id));
    let _ = writeln!(
        svg,
        "<g class=\"{class}\"><title>{name}</title>\
         <rect x=\"{left}\" y=\"{top}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"{round}\"/>"
    );
    let inset = if class == "source" { 24 } else { 12 };
    text(svg, "kind", left + inset, top + 24, &part.kind);
    text(svg, "id", left + inset, top + 44, &middle_cut(part.id));
    if class == "blocked" {
        text(svg, "mark", left, top + BOX_HEIGHT + 16, "✕ blocked here");
    }
    svg.push_str("</g>\n");
}

fn text(svg: &mut String, class: &str, left: usize, base: usize, words: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{left}\" y=\"{base}\">{}</text>", escaped(words));
}

/// An id or ARN with its two ends, which tell it apart.
fn middle_cut(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= ID_CHARACTERS {
        return id.to_owned();
    }
    let tail = ID_CHARACTERS - ID_CHARACTERS / 2 - 1;
    letters[..ID_CHARACTERS / 2].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

fn cut(line: &str, characters: usize) -> String {
    if line.chars().count() <= characters {
        return line.to_owned();
    }
    line.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

/// The paragraphs broken at spaces into lines of at most so many characters.
fn lines(paragraphs: &[String], characters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > characters {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&cut(word, characters));
        }
        lines.push(line);
    }
    if lines.len() > LINES_MAX {
        let hidden = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… {hidden} more lines"));
    }
    lines
}

/// Text as XML 1.0 holds it. Characters that it has no place for, and those that turn the direction of writing, which
/// could make one id look like another, become the replacement character.
fn escaped(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            control if control.is_control() => escaped.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: &str, id: &str) -> Step {
        Step { component_id: id.into(), component_type: format!("AWS::EC2::{kind}") }
    }

    fn blocked() -> Picture {
        Picture {
            title: "internet is blocked on the way to i-1 on tcp/22".into(),
            subtitle: "From internet to 10.0.1.10, over igw-1".into(),
            source: "internet".into(),
            steps: vec![step("InternetGateway", "igw-1"), step("NetworkAcl", "acl-1")],
            blocked_by: Some(Blocker {
                component: "sg-1".into(),
                rule: "no inbound rule for tcp/22 from 8.200.200.200".into(),
                reason: "no inbound rule of sg-1 allows tcp/22 from 8.200.200.200".into(),
            }),
            notes: vec![
                "Blocked at sg-1: no inbound rule of sg-1 allows tcp/22 from 8.200.200.200.".into(),
                "To open it, 1: add to sg-1 the inbound rule tcp 22 from 0.0.0.0/0.".into(),
            ],
        }
    }

    #[test]
    fn a_blocked_path_is_drawn_as_recorded() {
        let drawn = picture(blocked());
        assert_eq!(drawn, include_str!("../tests/pictures/blocked.svg"), "{drawn}");
    }

    #[test]
    fn long_paths_turn_into_rows_of_bounded_width() {
        let steps: Vec<Step> = (0..30).map(|at| step("SecurityGroup", &format!("sg-{at}"))).collect();
        let drawn = picture(Picture { steps, ..blocked() });
        assert!(drawn.contains("width=\"1112\""), "{}", &drawn[..200]);
        assert_eq!(drawn.matches("<g class=").count(), 31, "the source and thirty steps, of which one blocks");
        let endless: Vec<Step> = (0..1000).map(|at| step("SecurityGroup", &format!("sg-{at}"))).collect();
        let drawn = picture(Picture { steps: endless, blocked_by: None, ..blocked() });
        assert_eq!(drawn.matches("<g class=").count(), BOXES_MAX);
        assert!(drawn.contains("941 more steps are not drawn."));
    }

    #[test]
    fn whatever_ids_hold_is_text() {
        let evil = "</text><script>alert('1')</script>\u{0}\u{202e}&\"";
        let drawn = picture(Picture {
            title: evil.into(),
            subtitle: evil.into(),
            source: evil.into(),
            steps: vec![step(evil, evil)],
            blocked_by: Some(Blocker { component: evil.into(), rule: evil.into(), reason: evil.into() }),
            notes: vec![evil.into()],
        });
        assert!(!drawn.contains("<script") && !drawn.contains('\u{0}') && !drawn.contains('\u{202e}'));
        assert!(drawn.contains("&lt;script&gt;"));
    }

    #[test]
    fn types_are_read_as_words() {
        for (raw, expected) in [
            ("AWS::EC2::VPCPeeringConnection", "VPC Peering Connection"),
            ("AWS::EC2::NetworkAcl", "Network Acl"),
            ("AWS::EC2::VPCEndpoint", "VPC Endpoint"),
            ("AWS::EC2::VPC", "VPC"),
            ("", ""),
        ] {
            assert_eq!(words(raw), expected);
        }
    }
}
