//! The Inspector-compatible REST API (`inspector2`, 2020-06-08): the shapes of AWS' own model, served from the store.

use crate::{
    errors::{self, ApiError},
    filters,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use muster_domain::{AccountStatus, Resource, ResourceId};
use muster_engine::inspector;
use muster_store::{FindingQuery, Store, StoreError};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// `maxResults` of ListFindings (API model).
const PAGE_MAX: u32 = 100;

/// The page when none is asked for: the response page of ListFindings in the API model.
const PAGE_DEFAULT: u32 = 25;

/// Accounts per BatchGetAccountStatus (API model).
const ACCOUNTS_MAX: usize = 100;

/// The operations that are served; any other is refused by its path.
pub fn router(store: Store) -> Router {
    Router::new()
        .route("/findings/list", post(list_findings))
        .route("/status/batch/get", post(batch_get_account_status))
        .with_state(store)
}

/// What nobody serves: told to gRPC clients in their way, to all others in AWS'.
pub async fn unknown(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if errors::speaks_grpc(&headers) {
        return tonic::Status::unimplemented(format!("{} is not served here", uri.path())).into_http();
    }
    errors::validation("OTHER", format!("{method} {} is not served here", uri.path())).into_response()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListFindings {
    max_results: Option<u32>,
    next_token: Option<String>,
    filter_criteria: Option<Map<String, Value>>,
    sort_criteria: Option<SortCriteria>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SortCriteria {
    field: String,
    sort_order: String,
}

/// An empty body stands for `{}`, as some clients send it.
fn parse<T: DeserializeOwned + Default>(body: Result<Bytes, BytesRejection>) -> Result<T, ApiError> {
    let body = body.map_err(|rejection| errors::validation("OTHER", rejection.body_text()))?;
    if body.is_empty() {
        return Ok(T::default());
    }
    // An array would else pass for the members in their order.
    let members: Result<Map<String, Value>, _> = serde_json::from_slice(&body);
    let question = members.and_then(|members| serde_json::from_value(Value::Object(members)));
    question.map_err(|error| errors::validation("CANNOT_PARSE", error.to_string()))
}

async fn list_findings(
    State(store): State<Store>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let request: ListFindings = parse(body)?;
    let page_size = request.max_results.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&page_size) {
        return Err(errors::field("maxResults", format!("{page_size} is not 1 to {PAGE_MAX}")));
    }
    let query = FindingQuery {
        filter: request.filter_criteria.as_ref().map(filters::filter).transpose()?.unwrap_or_default(),
        sort: request.sort_criteria.map(|sort| filters::sort(&sort.field, &sort.sort_order)).transpose()?,
        page_size,
        after: request.next_token.filter(|token| !token.is_empty()),
    };
    let page = match store.findings(&query).await {
        Err(StoreError::ForeignCursor) => return Err(errors::field("nextToken", "belongs to another question")),
        page => page.map_err(|error| errors::internal(&error))?,
    };
    let ids: BTreeSet<ResourceId> = page.findings.iter().map(|finding| finding.resource.clone()).collect();
    let resources = store.resources_by_id(&ids.into_iter().collect::<Vec<_>>()).await;
    let resources = resources.map_err(|error| errors::internal(&error))?;
    let resources: HashMap<ResourceId, Resource> =
        resources.into_iter().map(|stored| (stored.resource.id.clone(), stored.resource)).collect();
    let findings =
        page.findings.iter().filter_map(|finding| Some(inspector::finding(finding, resources.get(&finding.resource)?)));
    let mut answer = json!({ "findings": findings.collect::<Vec<_>>() });
    if let Some(next) = page.next {
        answer["nextToken"] = next.into();
    }
    Ok(Json(answer))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BatchGetAccountStatus {
    account_ids: Vec<String>,
}

async fn batch_get_account_status(
    State(store): State<Store>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let request: BatchGetAccountStatus = parse(body)?;
    if request.account_ids.len() > ACCOUNTS_MAX {
        return Err(errors::field("accountIds", format!("has more than {ACCOUNTS_MAX} values")));
    }
    let mut known: BTreeMap<String, Vec<AccountStatus>> = BTreeMap::new();
    for status in store.account_statuses().await.map_err(|error| errors::internal(&error))? {
        known.entry(status.account.to_string()).or_default().push(status);
    }
    let asked: Vec<String> =
        if request.account_ids.is_empty() { known.keys().cloned().collect() } else { request.account_ids };
    let (mut accounts, mut failed) = (Vec::new(), Vec::new());
    for account in asked {
        match known.get(&account) {
            Some(statuses) => accounts.push(account_state(&account, statuses)),
            None => failed.push(json!({
                "accountId": account,
                "errorCode": "RESOURCE_NOT_FOUND",
                "errorMessage": "the account is not watched",
            })),
        }
    }
    Ok(Json(json!({ "accounts": accounts, "failedAccounts": failed })))
}

/// Enabled for what we scan; what stood in the way of the last sweep is said with it.
fn account_state(account: &str, statuses: &[AccountStatus]) -> Value {
    let errors: Vec<&str> = statuses.iter().filter_map(|status| status.error.as_deref()).collect();
    let message = if errors.is_empty() { "the last sweep read all of it".to_owned() } else { errors.join("\n") };
    let code = match () {
        () if errors.is_empty() => "ALREADY_ENABLED", // the model has no code for "no error", and requires one
        () if message.contains("denied") => "ACCESS_DENIED",
        () => "INTERNAL_ERROR",
    };
    let state = |status: &str| json!({ "status": status, "errorCode": code, "errorMessage": message });
    let off =
        json!({ "status": "DISABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": "Muster does not scan it" });
    json!({
        "accountId": account,
        "state": state("ENABLED"),
        "resourceState": {
            "ec2": state("ENABLED"),
            "ecr": state("ENABLED"),
            "lambda": state("ENABLED"),
            "lambdaCode": off,
            "codeRepository": off,
            "ami": off,
        },
    })
}
