//! One call: wait for the shared rate, send, count, name what went wrong; and pages of calls.

use crate::{AwsError, error};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::FinalizerInterceptorContextRef},
        orchestrator::{HttpResponse, Metadata},
        result::SdkError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{config_bag::ConfigBag, error::metadata::ProvideErrorMetadata};
use muster_cache::Cache;
use muster_domain::{AccountId, Region};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

/// Sends calls in the name of one account and region.
#[derive(Clone)]
pub(crate) struct Caller {
    cache: Arc<dyn Cache>,
    account: Option<AccountId>,
    region: Region,
}

impl Caller {
    pub(crate) fn new(cache: Arc<dyn Cache>, account: Option<AccountId>, region: Region) -> Self {
        Self { cache, account, region }
    }

    /// Sends `request` when the rate that all replicas share allows it. `action` is what IAM calls it.
    pub(crate) async fn call<T, E>(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let answer = match self.wait_for_rate(action).await {
            Ok(()) => request.await.map_err(|error| AwsError::from_sdk(action, self.account.as_ref(), error)),
            Err(throttled) => Err(throttled),
        };
        let outcome = answer.as_ref().map_or_else(AwsError::outcome, |_| "ok");
        let (service, operation) = action.split_once(':').unwrap_or((action, ""));
        metrics::counter!("muster_aws_calls_total", "service" => service, "operation" => operation, "outcome" => outcome)
            .increment(1);
        answer
    }

    /// Takes one token of the action's bucket, waiting for it if need be. A cache that fails costs the
    /// coordination only: AWS still throttles, and the SDK still backs off.
    async fn wait_for_rate(&self, action: &'static str) -> Result<(), AwsError> {
        let rate = rate_of(action);
        let account = self.account.as_ref().map_or("_", AccountId::as_str);
        let bucket = format!("aws:{account}:{}:{}", self.region, rate.action);
        let started = Instant::now();
        loop {
            let wait = match self.cache.take(&bucket, rate.per_second * SHARE, rate.burst()).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(%error, bucket, "rate bucket not reached, calling without it");
                    return Ok(());
                }
            };
            if wait.is_zero() {
                return Ok(());
            }
            if started.elapsed() + wait > RATE_WAIT_MAX {
                return Err(AwsError::Throttled { call: action.to_owned() });
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// The share of AWS' rates that we take: half, because the same buckets serve the account's owners, whose own
/// automation must not fail because of us.
const SHARE: f64 = 0.5;

/// Longest wait for a token: then the queue in front of this account is too long, and failing tells so.
const RATE_WAIT_MAX: Duration = Duration::from_secs(120);

/// One of AWS' token buckets.
struct Rate {
    /// The action, or `service:` for all others of the service.
    action: &'static str,
    /// Calls per second that refill.
    per_second: f64,
    /// Calls at once when full.
    burst_calls: u32,
}

impl Rate {
    /// Our share of the burst, at least one call.
    fn burst(&self) -> u32 {
        ((f64::from(self.burst_calls) * SHARE) as u32).max(1)
    }
}

/// Per account and region. Sources, read 2026-11-24: EC2 API throttling (non-mutating, paged); ECR service quotas
/// (GetAuthorizationToken: the lower of the two figures that AWS publishes); Lambda quotas (one bucket for all control
/// plane calls but GetFunction); Security Hub partner guide. AWS publishes none for SSM's inventory calls, ECR's
/// Describe calls, Organizations, STS, EventBridge per account, Elastic Load Balancing, Network Firewall, Direct Connect,
/// ECS and RDS: those are careful figures of our own.
const RATES: &[Rate] = &[
    Rate { action: "directconnect:", per_second: 5.0, burst_calls: 10 },
    Rate { action: "ec2:", per_second: 20.0, burst_calls: 100 },
    Rate { action: "ecr:BatchGetImage", per_second: 2000.0, burst_calls: 2000 },
    Rate { action: "ecr:GetAuthorizationToken", per_second: 20.0, burst_calls: 200 },
    Rate { action: "ecr:", per_second: 100.0, burst_calls: 200 },
    Rate { action: "ecs:", per_second: 20.0, burst_calls: 40 },
    Rate { action: "elasticloadbalancing:", per_second: 20.0, burst_calls: 40 },
    Rate { action: "events:", per_second: 400.0, burst_calls: 400 },
    Rate { action: "lambda:GetFunction", per_second: 100.0, burst_calls: 100 },
    Rate { action: "lambda:", per_second: 15.0, burst_calls: 15 },
    Rate { action: "network-firewall:", per_second: 5.0, burst_calls: 10 },
    Rate { action: "organizations:", per_second: 8.0, burst_calls: 20 },
    Rate { action: "rds:", per_second: 10.0, burst_calls: 20 },
    Rate { action: "securityhub:", per_second: 10.0, burst_calls: 30 },
    Rate { action: "ssm:", per_second: 20.0, burst_calls: 80 },
    Rate { action: "sts:", per_second: 50.0, burst_calls: 100 },
];

/// The action's own bucket, else its service's.
fn rate_of(action: &str) -> &'static Rate {
    RATES
        .iter()
        .find(|rate| rate.action == action)
        .or_else(|| RATES.iter().find(|rate| rate.action.ends_with(':') && action.starts_with(rate.action)))
        .expect("every service that this crate calls has a row")
}

/// Pages of one listing at most: far above any real one, so that an answer that never ends does end.
const PAGES_MAX: usize = 20_000;

/// All items of a paged call. `fetch` takes the token of the page and gives its items and the next token; empty
/// pages with a next token are normal (Organizations), a token that comes back unchanged is an error.
pub(crate) async fn pages<T, F, Fut>(action: &str, mut fetch: F) -> Result<Vec<T>, AwsError>
where
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, Option<String>), AwsError>>,
{
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let (page, next) = fetch(token.clone()).await?;
        items.extend(page);
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return Ok(items);
        };
        if token.as_ref() == Some(&next) {
            return Err(AwsError::other(action, "the same page token came twice"));
        }
        token = Some(next);
    }
    Err(AwsError::other(action, format!("more than {PAGES_MAX} pages")))
}

/// Counts each attempt that AWS throttled, those that a later attempt made good too.
#[derive(Debug)]
pub(crate) struct CountThrottles {
    /// As IAM writes it.
    pub(crate) service: &'static str,
}

impl Intercept for CountThrottles {
    fn name(&self) -> &'static str {
        "CountThrottles"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response().filter(|response| response.status().as_u16() >= 400) else {
            return Ok(());
        };
        let in_header = response.headers().get("x-amzn-errortype").is_some_and(|header| {
            let code = header.split(':').next().unwrap_or_default();
            error::is_throttle(code)
        });
        let in_body = || response.body().bytes().is_some_and(error::body_throttles);
        if response.status().as_u16() == 429 || in_header || in_body() {
            let operation = config.load::<Metadata>().map_or("", Metadata::name).to_owned();
            metrics::counter!("muster_aws_throttles_total", "service" => self.service, "operation" => operation)
                .increment(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_waits_in_its_own_bucket_or_in_its_services() {
        let check = |action: &str, expected: &str| assert_eq!(rate_of(action).action, expected);
        check("ec2:DescribeInstances", "ec2:");
        check("lambda:GetFunction", "lambda:GetFunction");
        check("lambda:GetLayerVersion", "lambda:");
        check("ecr:BatchGetImage", "ecr:BatchGetImage");
        check("sts:AssumeRole", "sts:");
    }

    #[tokio::test]
    async fn pages_end_with_the_last_token_and_never_run_in_a_circle() {
        async fn listed(script: &[(&[u32], Option<&str>)]) -> Result<Vec<u32>, AwsError> {
            let mut pages_left = script.iter();
            pages("ec2:DescribeVpcs", |_| {
                let (items, next) = pages_left.next().expect("no call after the last page");
                let page = (items.to_vec(), next.map(str::to_owned));
                async move { Ok(page) }
            })
            .await
        }
        assert_eq!(listed(&[(&[1, 2], Some("a")), (&[], Some("b")), (&[3], None)]).await, Ok(vec![1, 2, 3]));
        assert_eq!(listed(&[(&[1], Some(""))]).await, Ok(vec![1])); // some services end with an empty token
        let circle = listed(&[(&[1], Some("a")), (&[2], Some("a"))]).await;
        assert_eq!(circle.unwrap_err().to_string(), "ec2:DescribeVpcs failed: the same page token came twice");
    }
}
