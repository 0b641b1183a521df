//! Findings as the gateway asks for them: filtered, sorted, and page by page.

use crate::{FindingFilter, Store, StoreError, engine::Value, finding_filter::conditions, finding_row, limit};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use muster_domain::{Digest, Finding, FindingDetails};
use serde::{Deserialize, Serialize};

/// What findings are sorted by (`SortField` of the inspector2 API, in part). A finding without the value comes before
/// all that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // the names are the API's
pub enum SortField {
    AwsAccountId,
    FindingType,
    Severity,
    FirstObservedAt,
    LastObservedAt,
    FindingStatus,
    ResourceType,
    InspectorScore,
    VulnerabilityId,
    EpssScore,
}

impl SortField {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AwsAccountId,
        Self::FindingType,
        Self::Severity,
        Self::FirstObservedAt,
        Self::LastObservedAt,
        Self::FindingStatus,
        Self::ResourceType,
        Self::InspectorScore,
        Self::VulnerabilityId,
        Self::EpssScore,
    ];

    /// The API's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsAccountId => "AWS_ACCOUNT_ID",
            Self::FindingType => "FINDING_TYPE",
            Self::Severity => "SEVERITY",
            Self::FirstObservedAt => "FIRST_OBSERVED_AT",
            Self::LastObservedAt => "LAST_OBSERVED_AT",
            Self::FindingStatus => "FINDING_STATUS",
            Self::ResourceType => "RESOURCE_TYPE",
            Self::InspectorScore => "INSPECTOR_SCORE",
            Self::VulnerabilityId => "VULNERABILITY_ID",
            Self::EpssScore => "EPSS_SCORE",
        }
    }

    /// From the API's spelling.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == raw)
    }

    fn column(self) -> &'static str {
        match self {
            Self::AwsAccountId => "f.account",
            Self::FindingType => "f.type",
            Self::Severity => "f.severity",
            Self::FirstObservedAt => "f.first_observed_at",
            Self::LastObservedAt => "f.last_observed_at",
            Self::FindingStatus => "f.status",
            Self::ResourceType => "f.resource_kind",
            Self::InspectorScore => "f.score_tenths",
            Self::VulnerabilityId => "f.vulnerability",
            Self::EpssScore => "f.epss_millionths",
        }
    }

    /// What the finding has in that column.
    fn value(self, finding: &Finding) -> SortValue {
        match self {
            Self::AwsAccountId => SortValue::Text(finding.account.to_string()),
            Self::FindingType => SortValue::Text(finding.kind().as_str().to_owned()),
            Self::Severity => SortValue::Number(finding_row::rank(finding.severity)),
            Self::FirstObservedAt => SortValue::Number(finding.first_observed_at.as_microsecond()),
            Self::LastObservedAt => SortValue::Number(finding.last_observed_at.as_microsecond()),
            Self::FindingStatus => SortValue::Text(finding.status.as_str().to_owned()),
            Self::ResourceType => SortValue::Text(finding.resource_kind.as_str().to_owned()),
            Self::InspectorScore => SortValue::Number(finding_row::tenths(finding)),
            Self::VulnerabilityId => match &finding.details {
                FindingDetails::Package(found) => SortValue::Text(found.vulnerability.id.clone()),
                FindingDetails::Network(_) => SortValue::Text(String::new()),
            },
            Self::EpssScore => SortValue::Number(finding_row::epss(finding)),
        }
    }
}

/// An order of findings; findings equal in it are ordered by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sort {
    /// By what.
    pub field: SortField,
    /// Largest first.
    pub descending: bool,
}

/// A question for findings.
#[derive(Clone, Debug, Default)]
pub struct FindingQuery {
    /// Which.
    pub filter: FindingFilter,
    /// In which order; `None`: by id.
    pub sort: Option<Sort>,
    /// At least 1, at most [`ROWS_MAX`](crate::ROWS_MAX).
    pub page_size: u32,
    /// `next` of the page before, of the same filter and sort.
    pub after: Option<String>,
}

/// A page of findings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingPage {
    /// In the order asked for.
    pub findings: Vec<Finding>,
    /// Leads to the next page; `None`: this was the last.
    pub next: Option<String>,
}

/// Where a page ended. Opaque to callers, who give it back as it came.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Of the filter and sort that it belongs to.
    query: String,
    /// Of the last finding on the page, in the sorted column.
    value: Option<SortValue>,
    /// Of the last finding on the page.
    id: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum SortValue {
    Number(i64),
    Text(String),
}

impl Store {
    /// A page of findings. Each page starts after the last finding of the one before, so that findings that come and
    /// go meanwhile neither repeat nor hide others.
    pub async fn findings(&self, query: &FindingQuery) -> Result<FindingPage, StoreError> {
        let digest = digest(query);
        let mut conditions = conditions(&query.filter)?;
        if let Some(after) = &query.after {
            let cursor = Cursor::read(after, &digest, query.sort)?;
            let id = conditions.bind(cursor.id);
            let condition = match (query.sort, cursor.value) {
                (Some(sort), Some(value)) => {
                    let (column, beyond) = (sort.field.column(), if sort.descending { "<" } else { ">" });
                    let value = conditions.bind(value);
                    // the first comparison says nothing new, but lets an index find the place
                    format!("({column} {beyond}= {value} AND ({column} {beyond} {value} OR f.id > {id}))")
                }
                _ => format!("f.id > {id}"),
            };
            conditions.and(condition);
        }
        let page_size = limit(query.page_size.max(1));
        let rows = conditions.bind(page_size + 1);
        let order = match query.sort {
            Some(Sort { field, descending: true }) => format!("{} DESC, f.id", field.column()),
            Some(Sort { field, descending: false }) => format!("{}, f.id", field.column()),
            None => "f.id".to_owned(),
        };
        let sql =
            format!("SELECT f.id, f.body FROM finding f WHERE {} ORDER BY {order} LIMIT {rows}", conditions.sql());
        let rows = self.engine.rows_made("list findings", sql, conditions.values).await?;
        let more = rows.len() as i64 > page_size;
        let page = rows.into_iter().take(page_size as usize).map(finding_row::read);
        let findings: Vec<Finding> = page.collect::<Result<_, _>>()?;
        let next = findings.last().filter(|_| more).map(|last| Cursor {
            query: digest,
            value: query.sort.map(|sort| sort.field.value(last)),
            id: last.id.to_string(),
        });
        Ok(FindingPage { next: next.map(|cursor| cursor.write()), findings })
    }
}

impl Cursor {
    fn write(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("texts and numbers are always JSON"))
    }

    fn read(raw: &str, digest: &str, sort: Option<Sort>) -> Result<Self, StoreError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(raw).map_err(|_| StoreError::ForeignCursor)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| StoreError::ForeignCursor)?;
        // a forged one may name the query and still hold a value of another type, which PostgreSQL would refuse
        let right_type = match (sort.map(|sort| sort.field.is_text()), &cursor.value) {
            (Some(is_text), Some(value)) => is_text == matches!(value, SortValue::Text(_)),
            (None, None) => true,
            _ => false,
        };
        if cursor.query == digest && right_type { Ok(cursor) } else { Err(StoreError::ForeignCursor) }
    }
}

impl SortField {
    fn is_text(self) -> bool {
        matches!(
            self,
            Self::AwsAccountId | Self::FindingType | Self::FindingStatus | Self::ResourceType | Self::VulnerabilityId
        )
    }
}

impl From<SortValue> for Value {
    fn from(value: SortValue) -> Self {
        match value {
            SortValue::Number(number) => number.into(),
            SortValue::Text(text) => text.into(),
        }
    }
}

/// Of filter and sort: 16 digits are plenty to tell one caller's queries apart.
fn digest(query: &FindingQuery) -> String {
    Digest::of_json(&(&query.filter, &query.sort)).hex()[..16].to_owned()
}
