//! Which findings: conditions that must all hold, each a list of which any may hold, as the inspector2 API has it
//! (`FilterCriteria`).

use crate::{StoreError, engine::Value, finding_row};
use muster_domain::Severity;
use serde::Serialize;

/// Values in one filter, over all fields: the API takes 20 per field; this bounds the statement for every caller.
const VALUES_MAX: usize = 2_000;

/// How a text is compared (`StringComparison` of the inspector2 API). Letters count as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StringComparison {
    /// The same.
    Equals,
    /// Begins so.
    Prefix,
    /// Not the same; of something with several values: none is the same.
    NotEquals,
}

/// A text, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StringFilter {
    /// How.
    pub comparison: StringComparison,
    /// With what.
    pub value: String,
}

impl StringFilter {
    /// The same as `value`.
    pub fn equals(value: impl Into<String>) -> Self {
        Self { comparison: StringComparison::Equals, value: value.into() }
    }

    /// Begins with `value`.
    pub fn prefix(value: impl Into<String>) -> Self {
        Self { comparison: StringComparison::Prefix, value: value.into() }
    }

    /// Not `value`.
    pub fn not_equals(value: impl Into<String>) -> Self {
        Self { comparison: StringComparison::NotEquals, value: value.into() }
    }
}

/// Both ends inclusive; an end left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DateRange {
    /// From.
    pub start: Option<jiff::Timestamp>,
    /// To.
    pub end: Option<jiff::Timestamp>,
}

/// Both ends inclusive; an end left out is open. A finding without the number is in no range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct NumberRange {
    /// From.
    pub lower: Option<f64>,
    /// To.
    pub upper: Option<f64>,
}

/// Findings whose ports have one in common with this range; both ends inclusive, an end left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PortRange {
    /// From.
    pub begin: Option<u16>,
    /// To.
    pub end: Option<u16>,
}

/// One package of a finding: what is given must hold of the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PackageFilter {
    /// Its name.
    pub name: Option<StringFilter>,
    /// Its installed version.
    pub version: Option<StringFilter>,
}

/// A tag of the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagFilter {
    /// Its key.
    pub key: String,
    /// Its value; `None`: any.
    pub value: Option<String>,
}

/// The conditions. An empty list is no condition; within a list any `EQUALS` or `PREFIX` may hold, and every
/// `NOT_EQUALS` must.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FindingFilter {
    /// `arn:aws:inspector2:…:finding/…`.
    pub finding_arn: Vec<StringFilter>,
    /// Twelve digits.
    pub account: Vec<StringFilter>,
    /// The region.
    pub region: Vec<StringFilter>,
    /// `PACKAGE_VULNERABILITY`, `NETWORK_REACHABILITY`.
    pub finding_type: Vec<StringFilter>,
    /// `CRITICAL`, …
    pub severity: Vec<StringFilter>,
    /// `ACTIVE`, `SUPPRESSED`, `CLOSED`.
    pub status: Vec<StringFilter>,
    /// The finding's title.
    pub title: Vec<StringFilter>,
    /// `AWS_EC2_INSTANCE`, …
    pub resource_type: Vec<StringFilter>,
    /// Inspector's resource id.
    pub resource_id: Vec<StringFilter>,
    /// Tags of the resource.
    pub resource_tags: Vec<TagFilter>,
    /// `CVE-…`.
    pub vulnerability_id: Vec<StringFilter>,
    /// Name of any of the packages.
    pub package_name: Vec<StringFilter>,
    /// Name and version of one of the packages.
    pub packages: Vec<PackageFilter>,
    /// `YES`, `NO`, `PARTIAL`.
    pub fix_available: Vec<StringFilter>,
    /// `YES`, `NO`.
    pub exploit_available: Vec<StringFilter>,
    /// First seen.
    pub first_observed_at: Vec<DateRange>,
    /// Last seen.
    pub last_observed_at: Vec<DateRange>,
    /// Last changed.
    pub updated_at: Vec<DateRange>,
    /// 0.0 to 10.0.
    pub inspector_score: Vec<NumberRange>,
    /// 0.0 to 1.0.
    pub epss_score: Vec<NumberRange>,
    /// Ports of network findings.
    pub port_range: Vec<PortRange>,
    /// `TCP`, `UDP`.
    pub network_protocol: Vec<StringFilter>,
    /// Any component on the network path.
    pub component_id: Vec<StringFilter>,
    /// Repository of an image.
    pub ecr_repository: Vec<StringFilter>,
    /// Registry of an image.
    pub ecr_registry: Vec<StringFilter>,
    /// Any tag of an image.
    pub ecr_image_tag: Vec<StringFilter>,
    /// Digest of an image.
    pub ecr_image_hash: Vec<StringFilter>,
    /// Architecture of an image.
    pub ecr_image_architecture: Vec<StringFilter>,
    /// `ami-…` of an instance.
    pub ec2_image: Vec<StringFilter>,
    /// `vpc-…` of an instance.
    pub ec2_vpc: Vec<StringFilter>,
    /// `subnet-…` of an instance.
    pub ec2_subnet: Vec<StringFilter>,
    /// Name of a function.
    pub lambda_name: Vec<StringFilter>,
    /// Runtime of a function.
    pub lambda_runtime: Vec<StringFilter>,
    /// Any layer of a function.
    pub lambda_layer: Vec<StringFilter>,
    /// Execution role of a function.
    pub lambda_role: Vec<StringFilter>,
}

const ARN: &str = "('arn:aws:inspector2:' || f.region || ':' || f.account || ':finding/' || f.id)";

/// The filter as SQL over `finding f`, with its values as parameters.
pub(crate) fn conditions(filter: &FindingFilter) -> Result<Conditions, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text(ARN, &filter.finding_arn);
    conditions.text("f.account", &filter.account);
    conditions.text("f.region", &filter.region);
    conditions.text("f.type", &filter.finding_type);
    conditions.severity(&filter.severity);
    conditions.text("f.status", &filter.status);
    conditions.text("f.title", &filter.title);
    conditions.text("f.resource_kind", &filter.resource_type);
    conditions.text("f.resource", &filter.resource_id);
    conditions.tags(&filter.resource_tags);
    conditions.text("f.vulnerability", &filter.vulnerability_id);
    conditions.any_of("finding_package c WHERE c.finding = f.id", "c.name", &filter.package_name);
    conditions.packages(&filter.packages);
    conditions.text("f.fix_available", &filter.fix_available);
    conditions.text("f.exploit_available", &filter.exploit_available);
    conditions.dates("f.first_observed_at", &filter.first_observed_at);
    conditions.dates("f.last_observed_at", &filter.last_observed_at);
    conditions.dates("f.updated_at", &filter.updated_at);
    conditions.numbers("f.score_tenths", 10.0, &filter.inspector_score);
    conditions.numbers("f.epss_millionths", 1e6, &filter.epss_score);
    conditions.ports(&filter.port_range);
    conditions.text("f.protocol", &filter.network_protocol);
    conditions.any_of("finding_component c WHERE c.finding = f.id", "c.component", &filter.component_id);
    let attributes = [
        ("ecr:repository", &filter.ecr_repository),
        ("ecr:registry", &filter.ecr_registry),
        ("ecr:tag", &filter.ecr_image_tag),
        ("ecr:hash", &filter.ecr_image_hash),
        ("ecr:architecture", &filter.ecr_image_architecture),
        ("ec2:image", &filter.ec2_image),
        ("ec2:vpc", &filter.ec2_vpc),
        ("ec2:subnet", &filter.ec2_subnet),
        ("lambda:name", &filter.lambda_name),
        ("lambda:runtime", &filter.lambda_runtime),
        ("lambda:layer", &filter.lambda_layer),
        ("lambda:role", &filter.lambda_role),
    ];
    for (name, filters) in attributes {
        let from = format!("resource_attribute c WHERE c.resource = f.resource AND c.name = '{name}'");
        conditions.any_of(&from, "c.value", filters);
    }
    if conditions.values.len() > VALUES_MAX {
        let why = format!("the filter has {} values, at most {VALUES_MAX} are taken", conditions.values.len());
        return Err(StoreError::Invalid { query: "list findings", why });
    }
    Ok(conditions)
}

/// Conditions that must all hold. The texts hold `$n` and names from this file, never a caller's value.
#[derive(Default)]
pub(crate) struct Conditions {
    all: Vec<String>,
    pub values: Vec<Value>,
}

impl Conditions {
    /// `true` or `a AND b`.
    pub fn sql(&self) -> String {
        if self.all.is_empty() { "1 = 1".to_owned() } else { self.all.join(" AND ") }
    }

    /// One more.
    pub fn and(&mut self, condition: String) {
        self.all.push(condition);
    }

    /// A parameter's name.
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn text(&mut self, column: &str, filters: &[StringFilter]) {
        let any = self.comparisons(column, filters);
        self.and_any(any);
        for filter in excluded(filters) {
            let value = self.bind(filter.value.as_str());
            self.and(format!("{column} IS DISTINCT FROM {value}")); // what has none is not equal either
        }
    }

    /// For what a finding has several of.
    fn any_of(&mut self, from: &str, column: &str, filters: &[StringFilter]) {
        let any = self.comparisons(column, filters);
        if !any.is_empty() {
            self.and(format!("EXISTS (SELECT 1 FROM {from} AND ({}))", any.join(" OR ")));
        }
        for filter in excluded(filters) {
            let value = self.bind(filter.value.as_str());
            self.and(format!("NOT EXISTS (SELECT 1 FROM {from} AND {column} = {value})"));
        }
    }

    fn comparisons(&mut self, column: &str, filters: &[StringFilter]) -> Vec<String> {
        let mut any = Vec::new();
        for filter in filters {
            match filter.comparison {
                StringComparison::Equals => {
                    let value = self.bind(filter.value.as_str());
                    any.push(format!("{column} = {value}"));
                }
                // not LIKE: its `%` and `_` would mean something, and SQLite's is blind to case
                StringComparison::Prefix => {
                    let value = self.bind(filter.value.as_str());
                    any.push(format!("substr({column}, 1, length({value})) = {value}"));
                }
                StringComparison::NotEquals => {}
            }
        }
        any
    }

    /// Each filter is of one package: another's version does not count.
    fn packages(&mut self, filters: &[PackageFilter]) {
        const FROM: &str = "finding_package c WHERE c.finding = f.id";
        let mut any = Vec::new();
        for PackageFilter { name, version } in filters {
            let fields = [("c.name", name), ("c.version", version)];
            let fields = fields.into_iter().filter_map(|(column, filter)| Some((column, filter.as_ref()?)));
            let (not, is): (Vec<_>, Vec<_>) =
                fields.partition(|(_, filter)| filter.comparison == StringComparison::NotEquals);
            let mut holds: Vec<String> = Vec::new();
            for (column, filter) in &is {
                holds.extend(self.comparisons(column, std::slice::from_ref(*filter)));
            }
            for (column, filter) in not {
                let value = self.bind(filter.value.as_str());
                if is.is_empty() {
                    self.and(format!("NOT EXISTS (SELECT 1 FROM {FROM} AND {column} = {value})"));
                } else {
                    holds.push(format!("{column} <> {value}"));
                }
            }
            if !holds.is_empty() {
                any.push(format!("EXISTS (SELECT 1 FROM {FROM} AND {})", holds.join(" AND ")));
            }
        }
        self.and_any(any);
    }

    /// Severities are kept as ranks, so their words are compared here.
    fn severity(&mut self, filters: &[StringFilter]) {
        if filters.is_empty() {
            return;
        }
        let holds = |severity: &Severity| {
            let word = severity.as_str();
            let mut included =
                filters.iter().filter(|filter| filter.comparison != StringComparison::NotEquals).peekable();
            let any = included.peek().is_none()
                || included.any(|filter| match filter.comparison {
                    StringComparison::Prefix => word.starts_with(&filter.value),
                    _ => word == filter.value,
                });
            any && excluded(filters).all(|filter| word != filter.value)
        };
        let ranks: Vec<_> = Severity::ALL.into_iter().filter(holds).map(finding_row::rank).collect();
        let ranks: Vec<_> = ranks.into_iter().map(|rank| self.bind(rank)).collect();
        // no severity holds: then no finding does
        let condition =
            if ranks.is_empty() { "1 = 0".to_owned() } else { format!("f.severity IN ({})", ranks.join(", ")) };
        self.and(condition);
    }

    fn tags(&mut self, filters: &[TagFilter]) {
        let mut any = Vec::new();
        for filter in filters {
            let name = self.bind(format!("tag:{}", filter.key));
            let value = match &filter.value {
                Some(value) => format!(" AND c.value = {}", self.bind(value.as_str())),
                None => String::new(),
            };
            any.push(format!(
                "EXISTS (SELECT 1 FROM resource_attribute c WHERE c.resource = f.resource AND c.name = {name}{value})"
            ));
        }
        self.and_any(any);
    }

    fn dates(&mut self, column: &str, ranges: &[DateRange]) {
        let mut any = Vec::new();
        for range in ranges {
            let start = self.bind(range.start.map_or(i64::MIN, |time| time.as_microsecond()));
            let end = self.bind(range.end.map_or(i64::MAX, |time| time.as_microsecond()));
            any.push(format!("{column} BETWEEN {start} AND {end}"));
        }
        self.and_any(any);
    }

    /// `scale`: what one is in the column's unit.
    fn numbers(&mut self, column: &str, scale: f64, ranges: &[NumberRange]) {
        /// Of a unit: 6.9 times 10 is not quite 69 in binary.
        const ROUNDING: f64 = 1e-6;
        let mut any = Vec::new();
        for range in ranges {
            // from 0 on: -1 stands for none
            let lower = range.lower.map_or(0, |lower| (lower * scale - ROUNDING).ceil().max(0.0) as i64);
            let upper = range.upper.map_or(i64::MAX, |upper| (upper * scale + ROUNDING).floor() as i64);
            let (lower, upper) = (self.bind(lower), self.bind(upper));
            any.push(format!("{column} BETWEEN {lower} AND {upper}"));
        }
        self.and_any(any);
    }

    fn ports(&mut self, ranges: &[PortRange]) {
        let mut any = Vec::new();
        for range in ranges {
            let begin = self.bind(i64::from(range.begin.unwrap_or(0)));
            let end = self.bind(i64::from(range.end.unwrap_or(u16::MAX)));
            // from 0 on: -1 stands for none
            any.push(format!("(f.port_begin >= 0 AND f.port_begin <= {end} AND f.port_end >= {begin})"));
        }
        self.and_any(any);
    }

    fn and_any(&mut self, any: Vec<String>) {
        if !any.is_empty() {
            self.and(format!("({})", any.join(" OR ")));
        }
    }
}

fn excluded(filters: &[StringFilter]) -> impl Iterator<Item = &StringFilter> {
    filters.iter().filter(|filter| filter.comparison == StringComparison::NotEquals)
}
