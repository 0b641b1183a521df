//! Held records -> the sections of the file, in one order whatever order they came in.

use super::super::hash;
use super::super::layout::{
    ClaimRow, EcosystemRow, ExploitRow, FACTS_BLOCK_BYTES, FACTS_BLOCK_BYTES_FULL, FACTS_BLOCK_BYTES_MAX,
    FactsBlockRow, KnownExploitedRow, LifeCycleRow, NO_SCORE, NONE, PROBES_MAX, PackageRow, QualifierRow, RangeRow,
    RecordRow, Slot, VulnerabilityRow, kind, withdrawal,
};
use super::super::pool::{ITEM_BYTES_MAX, Pool};
use super::super::statements::IdleStatement;
use super::held::{AffectedKey, Held, HeldAffected};
use super::spool::Spool;
use super::{BuildError, Builder, RecordKey, count};
use crate::names::{self, Grouping, RecordNames};
use crate::rating::{self, Rating};
use muster_domain::{BaseScore, Names, Severity, VendorState, VexStatement};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use zerocopy::IntoBytes as _;
use zerocopy::little_endian::U32;

/// Facts are compressed so hard: level 9 gains 10% over 3 and costs a second per 100,000 records, once per build.
const FACTS_LEVEL: i32 = 9;
/// Blocks that are compressed at a time, so that the unpacked ones never fill the memory.
const FACTS_BLOCKS_AT_ONCE: usize = 512;

/// The sections, not yet in the file.
#[derive(Default)]
pub(super) struct Compiled {
    pub texts: Vec<u8>,
    pub keys: Vec<u8>,
    pub ecosystems: Vec<EcosystemRow>,
    pub packages: Vec<PackageRow>,
    pub index: Vec<Slot>,
    pub seed: u64,
    pub claims: Vec<ClaimRow>,
    pub qualifiers: Vec<QualifierRow>,
    pub ranges: Vec<RangeRow>,
    pub records: Vec<RecordRow>,
    pub vulnerabilities: Vec<VulnerabilityRow>,
    pub vulnerability_records: Vec<U32>,
    pub aliases: Vec<U32>,
    pub known_exploited: Vec<KnownExploitedRow>,
    pub exploits: Vec<ExploitRow>,
    pub statements: Vec<U32>,
    /// Where those begin that are about nothing.
    pub idle_from: usize,
    pub life_cycles: Vec<LifeCycleRow>,
    pub facts_blocks: Vec<FactsBlockRow>,
    pub facts: Spool,
}

/// A kept record and the vulnerabilities that it is about, by their place in the file.
struct Kept<'a> {
    key: &'a RecordKey,
    held: &'a Held,
    about: Vec<u32>,
}

/// What all records say of one vulnerability.
#[derive(Default)]
struct Joined<'a> {
    records: Vec<u32>,
    scores: Vec<(u8, BaseScore)>,
    words: Vec<&'a str>,
    statements: Vec<&'a VexStatement>,
    /// Whether the CVE program rejected it.
    is_rejected: bool,
    /// Digest of everything but its predictions.
    print: [u8; 32],
}

pub(super) fn compile(mut builder: Builder) -> Result<Compiled, BuildError> {
    let mut facts = std::mem::take(&mut builder.facts);
    let mut compiled = Compiled { facts: facts.beside(), ..Compiled::default() };
    let mut texts = Pool::default();
    {
        let grouping = grouping(&builder);
        let (kept, wanted) = kept(&builder, &grouping);
        let statements = statements(&builder);
        let joined = joined(&builder, &statements, &grouping, &kept, &wanted);
        packages(&builder, &kept, &joined, &grouping, &wanted, &mut compiled, &mut texts)?;
        index(&mut compiled, &texts);
        vulnerabilities(&builder, &grouping, &wanted, &joined, &mut compiled, &mut texts)?;
        idle(&idle_statements(&builder, &grouping, &wanted), &mut compiled, &mut texts)?;
        life_cycles(&builder, &mut compiled, &mut texts)?;
        drop(joined);
        records(&builder, &kept, &mut facts, &mut compiled, &mut texts)?;
    }
    compiled.texts = texts.into_blob();
    Ok(compiled)
}

fn grouping(builder: &Builder) -> Grouping<'_> {
    let texts = |list: &[u32]| list.iter().filter_map(|&at| builder.text(at)).collect();
    let names: Vec<RecordNames<'_>> = builder
        .records
        .iter()
        .map(|((id, ..), held)| RecordNames {
            id,
            aliases: texts(held.names.aliases()),
            upstream: texts(held.names.upstream()),
            related: texts(held.names.related()),
        })
        .collect();
    names::group(&names)
}

/// The vulnerabilities that touch a package, as places in the grouping, and the records about them. What touches none
/// (a feed of other ecosystems, the NVD's records of firmware) stays out of the file.
fn kept<'a>(builder: &'a Builder, grouping: &Grouping<'_>) -> (Vec<Kept<'a>>, Vec<u32>) {
    let mut place = vec![NONE; grouping.vulnerabilities.len()];
    for (held, about) in builder.records.values().zip(grouping.of_record.iter()) {
        if !held.affected.is_empty() {
            about.iter().for_each(|&vulnerability| place[vulnerability as usize] = 0);
        }
    }
    let wanted: Vec<u32> = (0..).zip(&place).filter(|(_, wanted)| **wanted == 0).map(|(old, _)| old).collect();
    for (new, &old) in (0..).zip(&wanted) {
        place[old as usize] = new;
    }
    let kept = builder.records.iter().zip(grouping.of_record.iter()).filter_map(|((key, held), about)| {
        let about: Vec<u32> = about.iter().map(|&old| place[old as usize]).filter(|&new| new != NONE).collect();
        (!about.is_empty()).then_some(Kept { key, held, about })
    });
    (kept.collect(), wanted)
}

fn joined<'a>(
    builder: &'a Builder,
    statements: &HashMap<&str, Vec<&'a VexStatement>>,
    grouping: &Grouping<'_>,
    kept: &[Kept<'_>],
    wanted: &[u32],
) -> Vec<Joined<'a>> {
    let mut joined: Vec<Joined<'_>> = wanted.iter().map(|_| Joined::default()).collect();
    for (place, record) in (0..).zip(kept) {
        let speaks = !names::is_notice(record.id()) && record.held.withdrawn == NONE;
        for &vulnerability in &record.about {
            let joined = &mut joined[vulnerability as usize];
            joined.records.push(place);
            if speaks {
                joined.scores.extend(&record.held.scores);
                joined.words.extend(builder.text(record.held.vendor));
            }
        }
    }
    for (&old, joined) in wanted.iter().zip(&mut joined) {
        let name = grouping.vulnerabilities[old as usize];
        let names = std::iter::once(&name).chain(grouping.aliases.get(old as usize));
        joined.statements = names.filter_map(|name| statements.get(name)).flatten().copied().collect();
        joined.is_rejected = is_rejected(name, joined.records.iter().map(|&place| &kept[place as usize]));
        joined.print = print(builder, name, joined, kept);
    }
    joined
}

fn print(builder: &Builder, name: &str, joined: &Joined<'_>, kept: &[Kept<'_>]) -> [u8; 32] {
    let mut print = Sha256::new();
    if let Some(known) = builder.known_exploited.get(name) {
        print.update(format!("{known:?}"));
    }
    if let Some(exploits) = builder.exploits.get(name) {
        print.update(format!("{exploits:?}"));
    }
    for statement in &joined.statements {
        print.update(format!("{statement:?}"));
    }
    for &record in &joined.records {
        let record = &kept[record as usize];
        print.update(format!("{:?}", record.key));
        print.update(record.held.ratings);
    }
    print.finalize().into()
}

/// Whether the CVE program rejected the CVE of this name. Its own record decides; where there is none the NVD's, which repeats it.
fn is_rejected<'k, 'a: 'k>(cve: &str, records: impl Iterator<Item = &'k Kept<'a>> + Clone) -> bool {
    let mut own = records.clone().filter(|record| record.id() == cve && record.source() == "CVE").peekable();
    match own.peek() {
        Some(_) => own.all(|record| record.held.is_rejection),
        None => records.into_iter().any(|record| record.id() == cve && record.held.is_rejection),
    }
}

/// The statements by the name that they use, in a fixed order.
fn statements(builder: &Builder) -> HashMap<&str, Vec<&VexStatement>> {
    let mut by_name: HashMap<&str, Vec<&VexStatement>> = HashMap::new();
    for statement in builder.statements.iter().filter(|statement| statement.why_idle().is_none()) {
        by_name.entry(&statement.vulnerability).or_default().push(statement);
    }
    for statements in by_name.values_mut() {
        statements.sort_unstable();
        statements.dedup();
        statements.truncate(STATEMENTS_MAX);
    }
    by_name
}

/// The statements that are about nothing here, each with why, in a fixed order: those whose product no inventory holds, and those
/// about vulnerabilities of which no record names a package.
fn idle_statements<'a>(builder: &'a Builder, grouping: &Grouping<'_>, wanted: &[u32]) -> Vec<IdleStatement<'a>> {
    if builder.statements.is_empty() {
        return Vec::new();
    }
    let names = wanted.iter().flat_map(|&old| {
        let aliases = grouping.aliases.get(old as usize).iter().copied();
        std::iter::once(grouping.vulnerabilities[old as usize]).chain(aliases)
    });
    let names: HashSet<&str> = names.collect();
    let unknown = |statement: &VexStatement| {
        let is_known = names.contains(statement.vulnerability.as_str());
        (!is_known).then_some("no record about a package is about its vulnerability")
    };
    let why = |statement: &'a VexStatement| {
        let why = statement.why_idle().or_else(|| unknown(statement))?;
        Some(IdleStatement { why: Cow::Borrowed(why), statement: Cow::Borrowed(statement) })
    };
    let mut idle: Vec<_> = builder.statements.iter().filter_map(why).collect();
    idle.sort_unstable();
    idle.dedup();
    idle
}

/// Most VEX statements about one vulnerability: one a product.
const STATEMENTS_MAX: usize = 10_000;

/// A claim of a record whose only name is a rejected CVE counts where its vendor has a fix: then somebody found something to
/// repair, whatever the CVE program says of the number.
fn falls_with_its_cve(builder: &Builder, record: &Kept<'_>, affected: &HeldAffected, key: &AffectedKey) -> bool {
    let has_fix = ranges(builder, affected).iter().any(|range| range.kind.get() == kind::FIXED);
    let aliases = record.held.names.aliases().iter().filter_map(|&at| builder.text(at));
    names::has_only_its_cve(record.id(), aliases)
        && !has_fix
        && !matches!(key.state, Some(VendorState::Fixed | VendorState::NotAffected))
}

/// The rows of one package of a record.
fn ranges<'b>(builder: &'b Builder, affected: &HeldAffected) -> &'b [RangeRow] {
    &builder.ranges[affected.ranges_from as usize..][..affected.ranges as usize]
}

impl Kept<'_> {
    fn id(&self) -> &str {
        &self.key.0
    }

    fn source(&self) -> &str {
        &self.key.1
    }
}

/// Packages in the order of their names, with their claims and ranges.
fn packages(
    builder: &Builder,
    kept: &[Kept<'_>],
    joined: &[Joined<'_>],
    grouping: &Grouping<'_>,
    wanted: &[u32],
    compiled: &mut Compiled,
    texts: &mut Pool,
) -> Result<(), BuildError> {
    let held_text = |at: u32| builder.texts.get(at).expect("the builder put it there");
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (place, record) in (0..).zip(kept) {
        for word in &record.held.affected {
            let package = (held_text(word.0.ecosystem), held_text(word.0.name));
            entries.push(Entry { package, record: place, word });
        }
    }
    // Of one record's claims about one package the order is that of their texts, not of when the texts came.
    let text = |at: u32| if at == NONE { None } else { builder.texts.get(at) };
    let order = |entry: &Entry<'_>| {
        let AffectedKey { names, state, architectures, module, remark, .. } = entry.word.0;
        (names, state, text(architectures), text(module), text(remark))
    };
    entries.par_sort_unstable_by(|a, b| {
        (a.package, a.record).cmp(&(b.package, b.record)).then_with(|| order(a).cmp(&order(b)))
    });

    let mut keys = Pool::default();
    let mut qualifiers: HashMap<QualifierRow, u32> = HashMap::new();
    let mut ecosystem_before: Option<&[u8]> = None;
    for package in entries.chunk_by(|a, b| a.package == b.package) {
        let (ecosystem, name) = package[0].package;
        if ecosystem_before != Some(ecosystem) {
            compiled.ecosystems.push(EcosystemRow { name: texts.put(ecosystem)?.into(), packages: 0.into() });
            ecosystem_before = Some(ecosystem);
        }
        let ecosystem = compiled.ecosystems.last_mut().expect("pushed when its first package came");
        ecosystem.packages += U32::new(1);

        let mut print = Sha256::new();
        let mut claims = Vec::new();
        for &Entry { record: place, word: (key, affected), .. } in package {
            let record = &kept[place as usize];
            let from = count(compiled.ranges.len(), "ranges")?;
            for row in sorted(builder, affected) {
                let row = moved(builder, &row, texts, &mut keys, &mut print)?;
                compiled.ranges.push(row);
            }
            let ranges = count(compiled.ranges.len(), "ranges")? - from;
            let (withdrawn, own_vendor) = (builder.text(record.held.withdrawn), builder.text(affected.vendor));
            print.update(format!("{:?} {ranges} {withdrawn:?} {own_vendor:?}", record.key));
            print.update(format!("{:?} {:?}", key.names, key.state));
            let vendor = own_vendor.or_else(|| builder.text(record.held.vendor));
            let vendor_at = vendor.map_or(Ok(NONE), |word| texts.put(word.as_bytes()))?;
            let mut optional = |at: u32| -> Result<U32, BuildError> {
                print.update(text(at).map_or(&[0][..], |text| text));
                text(at).map_or(Ok(NONE.into()), |text| Ok(texts.put(text)?.into()))
            };
            let qualifier = QualifierRow {
                architectures: optional(key.architectures)?,
                module: optional(key.module)?,
                remark: optional(key.remark)?,
            };
            let qualifier = qualifier_place(qualifier, &mut qualifiers, &mut compiled.qualifiers)?;
            let state = key.state.and_then(|state| VendorState::ALL.iter().position(|&one| one == state));
            for &vulnerability in &record.about {
                let joined = &joined[vulnerability as usize];
                let rating = rate(record, affected, vendor, joined);
                let severity = Severity::ALL.iter().position(|&severity| severity == rating.severity);
                claims.push(ClaimRow {
                    record: place.into(),
                    vulnerability: vulnerability.into(),
                    ranges_from: from.into(),
                    ranges: ranges.into(),
                    vendor: vendor_at.into(),
                    qualifier: qualifier.into(),
                    score: rating.score.map_or(NO_SCORE, BaseScore::tenths),
                    severity: severity.expect("ALL has every severity") as u8,
                    notice: u8::from(names::is_notice(record.id())),
                    withdrawn: if record.held.withdrawn != NONE {
                        withdrawal::TAKEN_BACK
                    } else if joined.is_rejected && falls_with_its_cve(builder, record, affected, key) {
                        withdrawal::REJECTED
                    } else {
                        withdrawal::STANDS
                    },
                    source: u8::from(key.names == Names::Source),
                    state: state.map_or(0, |state| state as u8 + 1),
                });
            }
        }
        claims.sort_by_key(|claim| (claim.vulnerability.get(), claim.record.get()));
        for claim in &claims {
            print.update(grouping.vulnerabilities[wanted[claim.vulnerability.get() as usize] as usize]);
            print.update([claim.score, claim.severity]);
            if claim.withdrawn == withdrawal::REJECTED {
                print.update("rejected");
            }
            print.update(joined[claim.vulnerability.get() as usize].print);
        }
        let (fingerprint, _) =
            print.finalize().split_first_chunk::<8>().map(|(first, _)| (*first, ())).expect("32 bytes");
        compiled.packages.push(PackageRow {
            ecosystem: (count(compiled.ecosystems.len(), "ecosystems")? - 1).into(),
            name: texts.put(name)?.into(),
            claims_from: count(compiled.claims.len(), "claims")?.into(),
            claims: count(claims.len(), "claims")?.into(),
            fingerprint: u64::from_le_bytes(fingerprint).into(),
        });
        compiled.claims.extend(claims);
    }
    compiled.keys = keys.into_blob();
    Ok(())
}

/// What one record says of one package.
struct Entry<'a> {
    /// Ecosystem and name.
    package: (&'a [u8], &'a [u8]),
    record: u32,
    word: &'a (AffectedKey, HeldAffected),
}

/// Most claims have no qualifier, and the others share few.
fn qualifier_place(
    row: QualifierRow,
    places: &mut HashMap<QualifierRow, u32>,
    rows: &mut Vec<QualifierRow>,
) -> Result<u32, BuildError> {
    if [row.architectures, row.module, row.remark].iter().all(|text| text.get() == NONE) {
        return Ok(NONE);
    }
    if let Some(&place) = places.get(&row) {
        return Ok(place);
    }
    let place = count(rows.len(), "qualifiers")?;
    rows.push(row);
    places.insert(row, place);
    Ok(place)
}

/// A package's rows in the order of their keys: intervals, then listed versions, then what can't be read.
fn sorted(builder: &Builder, affected: &HeldAffected) -> Vec<RangeRow> {
    let key = |at: U32| {
        if at.get() == NONE { None } else { builder.keys.get(at.get()) }
    };
    let group = |row: &RangeRow| row.kind.get().max(kind::LIMIT);
    let mut rows = ranges(builder, affected).to_vec();
    let order = |row: &RangeRow| (group(row), key(row.introduced_key), key(row.end_key), row.kind.get());
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    rows.dedup();
    rows
}

/// The row with its texts and keys moved into the file's pools.
fn moved(
    builder: &Builder,
    row: &RangeRow,
    texts: &mut Pool,
    keys: &mut Pool,
    print: &mut Sha256,
) -> Result<RangeRow, BuildError> {
    let mut put = |from: &Pool, to: &mut Pool, at: U32| -> Result<U32, BuildError> {
        if at.get() == NONE {
            print.update([0]);
            return Ok(NONE.into());
        }
        let bytes = from.get(at.get()).expect("the builder put it there");
        print.update([1]);
        print.update(bytes);
        Ok(to.put(bytes)?.into())
    };
    let moved = RangeRow {
        introduced_text: put(&builder.texts, texts, row.introduced_text)?,
        introduced_key: put(&builder.keys, keys, row.introduced_key)?,
        end_text: put(&builder.texts, texts, row.end_text)?,
        end_key: put(&builder.keys, keys, row.end_key)?,
        kind: row.kind,
    };
    print.update(row.kind.as_bytes());
    Ok(moved)
}

/// The record's own word on the package first, then its word on all, then what other records say.
fn rate(record: &Kept<'_>, affected: &HeldAffected, vendor: Option<&str>, joined: &Joined<'_>) -> Rating {
    // A notice's score is that of the worst of its vulnerabilities, so it is no one's own.
    let own: &[_] = if names::is_notice(record.id()) { &[] } else { &record.held.scores };
    let scores = affected.scores.iter().chain(own).chain(&joined.scores).copied();
    let rating = rating::rate(scores, vendor.into_iter().chain(joined.words.iter().copied()));
    if vendor.is_some_and(rating::is_dismissed) {
        return Rating { severity: Severity::Informational, ..rating };
    }
    rating
}

/// The package index: seeds are tried until no probe is longer than a reader goes.
fn index(compiled: &mut Compiled, texts: &Pool) {
    let hashed = |seed: u64| -> Vec<u64> {
        let text = |at: U32| texts.get(at.get()).expect("put there with the package");
        let of = |row: &PackageRow| {
            hash::of_package(seed, text(compiled.ecosystems[row.ecosystem.get() as usize].name), text(row.name))
        };
        compiled.packages.iter().map(of).collect()
    };
    let mut capacity = (compiled.packages.len() * 2).next_power_of_two().max(2);
    for seed in 0.. {
        if let Some(slots) = place(&hashed(seed), &compiled.packages, capacity) {
            (compiled.index, compiled.seed) = (slots, seed);
            return;
        }
        // Names made to collide under every seed don't exist, but a table twice as large ends even that.
        if seed % 8 == 7 {
            capacity *= 2;
        }
    }
}

fn place(hashes: &[u64], packages: &[PackageRow], capacity: usize) -> Option<Vec<Slot>> {
    let mut slots = vec![Slot::empty(); capacity];
    for (package, &hash) in packages.iter().zip(hashes) {
        let free = |probe: &usize| slots[(hash as usize).wrapping_add(*probe) & (capacity - 1)].name.get() == NONE;
        let probe = (0..PROBES_MAX).find(free)?;
        let slot = (hash as usize).wrapping_add(probe) & (capacity - 1);
        slots[slot] = Slot {
            tag: ((hash >> 32) as u32).into(),
            ecosystem: package.ecosystem,
            name: package.name,
            claims_from: package.claims_from,
            claims: package.claims,
        };
    }
    Some(slots)
}

fn vulnerabilities(
    builder: &Builder,
    grouping: &Grouping<'_>,
    wanted: &[u32],
    joined: &[Joined<'_>],
    compiled: &mut Compiled,
    texts: &mut Pool,
) -> Result<(), BuildError> {
    for (&old, joined) in wanted.iter().zip(joined) {
        let name = grouping.vulnerabilities[old as usize];
        let aliases = grouping.aliases.get(old as usize);
        let known_exploited = match builder.known_exploited.get(name) {
            None => NONE,
            Some(known) => {
                compiled.known_exploited.push(KnownExploitedRow {
                    date_added: texts.put(known.date_added.as_bytes())?.into(),
                    due_date: texts.put(known.due_date.as_bytes())?.into(),
                    required_action: texts.put(known.required_action.as_bytes())?.into(),
                    ransomware: u32::from(known.ransomware).into(),
                });
                count(compiled.known_exploited.len(), "known exploits")? - 1
            }
        };
        let epss = builder.epss.get(name);
        let exploits_from = count(compiled.exploits.len(), "exploits")?;
        for exploit in builder.exploits.get(name).into_iter().flatten() {
            let (source, id) = (texts.put(exploit.source.as_bytes())?, texts.put(exploit.id.as_bytes())?);
            compiled.exploits.push(ExploitRow { source: source.into(), id: id.into() });
        }
        let statements_from = count(compiled.statements.len(), "VEX statements")?;
        for statement in &joined.statements {
            let json = serde_json::to_vec(statement).expect("our own types have text keys, so JSON cannot fail");
            if json.len() <= ITEM_BYTES_MAX {
                compiled.statements.push(texts.put(&json)?.into());
            }
        }
        compiled.vulnerabilities.push(VulnerabilityRow {
            name: texts.put(name.as_bytes())?.into(),
            records_from: count(compiled.vulnerability_records.len(), "records of vulnerabilities")?.into(),
            records: count(joined.records.len(), "records of vulnerabilities")?.into(),
            aliases_from: count(compiled.aliases.len(), "aliases")?.into(),
            aliases: count(aliases.len(), "aliases")?.into(),
            known_exploited: known_exploited.into(),
            exploits_from: exploits_from.into(),
            exploits: (count(compiled.exploits.len(), "exploits")? - exploits_from).into(),
            statements_from: statements_from.into(),
            statements: (count(compiled.statements.len(), "VEX statements")? - statements_from).into(),
            print: u64::from_le_bytes(*joined.print.first_chunk().expect("a digest has 32 bytes")).into(),
            epss_score: epss.map_or(-1.0, |epss| epss.score).into(),
            epss_percentile: epss.map_or(-1.0, |epss| epss.percentile).into(),
        });
        compiled.vulnerability_records.extend(joined.records.iter().map(|&record| U32::new(record)));
        for alias in aliases {
            compiled.aliases.push(texts.put(alias.as_bytes())?.into());
        }
    }
    Ok(())
}

/// Behind the statements of the vulnerabilities, so that none refers to them.
fn idle(statements: &[IdleStatement<'_>], compiled: &mut Compiled, texts: &mut Pool) -> Result<(), BuildError> {
    compiled.idle_from = compiled.statements.len();
    for statement in statements {
        let json = serde_json::to_vec(statement).expect("our own types have text keys, so JSON cannot fail");
        if json.len() <= ITEM_BYTES_MAX {
            compiled.statements.push(texts.put(&json)?.into());
        }
    }
    Ok(())
}

fn life_cycles(builder: &Builder, compiled: &mut Compiled, texts: &mut Pool) -> Result<(), BuildError> {
    for life_cycle in builder.life_cycles.values() {
        let mut optional = |text: &Option<String>| -> Result<U32, BuildError> {
            text.as_ref().map_or(Ok(NONE.into()), |text| Ok(texts.put(text.as_bytes())?.into()))
        };
        let (codename, end_of_life) = (optional(&life_cycle.codename)?, optional(&life_cycle.end_of_life)?);
        let extended_support = optional(&life_cycle.extended_support)?;
        compiled.life_cycles.push(LifeCycleRow {
            product: texts.put(life_cycle.product.as_bytes())?.into(),
            release: texts.put(life_cycle.release.as_bytes())?.into(),
            codename,
            end_of_life,
            extended_support,
            ended: u32::from(life_cycle.ended).into(),
        });
    }
    Ok(())
}

/// Records, and their facts in blocks.
fn records(
    builder: &Builder,
    kept: &[Kept<'_>],
    facts: &mut Spool,
    compiled: &mut Compiled,
    texts: &mut Pool,
) -> Result<(), BuildError> {
    let mut blocks: Vec<Vec<u8>> = vec![Vec::new()];
    let mut full_blocks = 0;
    let mut unpacker = zstd::bulk::Decompressor::new().map_err(BuildError::Compress)?;
    let mut is_at_end = false;
    for record in kept {
        let held = &record.held.facts;
        let packed = facts.read(held.packed)?;
        let json = unpacker.decompress(&packed, held.unpacked_bytes as usize).map_err(BuildError::Compress)?;
        if is_at_end {
            if blocks.len() == FACTS_BLOCKS_AT_ONCE {
                full_blocks += blocks.len();
                pack(std::mem::take(&mut blocks), compiled)?;
            }
            blocks.push(Vec::new());
        }
        let block_place = count(full_blocks + blocks.len() - 1, "facts")?;
        let withdrawn = builder.text(record.held.withdrawn);
        let block = blocks.last_mut().expect("one is pushed before and after each packing");
        compiled.records.push(RecordRow {
            id: texts.put(record.id().as_bytes())?.into(),
            source: texts.put(record.source().as_bytes())?.into(),
            withdrawn: withdrawn.map_or(Ok(NONE), |at| texts.put(at.as_bytes()))?.into(),
            facts_block: block_place.into(),
            facts_offset: count(block.len(), "facts")?.into(),
            facts_bytes: count(json.len(), "facts")?.into(),
        });
        let (id, source, scope) = record.key;
        block.extend(&json);
        is_at_end = block.len() >= FACTS_BLOCK_BYTES_FULL
            || hash::ends_block([id, source, scope], json.len(), FACTS_BLOCK_BYTES);
        assert!(block.len() <= FACTS_BLOCK_BYTES_MAX, "a record's facts are cut to well below a block's maximum");
    }
    pack(blocks, compiled)
}

fn pack(blocks: Vec<Vec<u8>>, compiled: &mut Compiled) -> Result<(), BuildError> {
    let compress = |block: &Vec<u8>| zstd::bulk::compress(block, FACTS_LEVEL).map_err(BuildError::Compress);
    let packed: Vec<Vec<u8>> = blocks.par_iter().map(compress).collect::<Result<_, _>>()?;
    for (block, packed) in blocks.iter().zip(packed) {
        let place = compiled.facts.push(&packed)?;
        compiled.facts_blocks.push(FactsBlockRow {
            offset: place.from.into(),
            bytes: place.bytes.into(),
            unpacked_bytes: count(block.len(), "facts")?.into(),
        });
    }
    Ok(())
}
