//! One region of one account: its clients, and what a listing answers.

use crate::{
    AwsError, RegistryCredentials,
    call::{Caller, CountThrottles},
    topology::KnownAccess,
};
use aws_config::SdkConfig;
use aws_sdk_sts::config::retry::RetryPartition;
use jiff::Timestamp;
use muster_domain::{AccountId, Region, Resource};
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::sync::Mutex;

/// What one sweep of one kind found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// What is there, sorted by id.
    pub resources: Vec<Resource>,
    /// Side calls that were denied or failed, one line each, with what they cost.
    pub missing: Vec<String>,
    /// Whether `resources` is all that there is. If not, what is absent from it may still exist.
    pub complete: bool,
}

impl Listing {
    pub(crate) fn new(mut resources: Vec<Resource>, missing: Vec<String>, complete: bool) -> Self {
        resources.sort_by(|left, right| left.id.cmp(&right.id));
        Self { resources, missing, complete }
    }
}

/// The clients of one region of one account. Cheap to clone.
#[derive(Clone)]
pub struct RegionClient {
    pub(crate) inner: Arc<Clients>,
}

pub(crate) struct Clients {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) caller: Caller,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) ecr: aws_sdk_ecr::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) security_hub: aws_sdk_securityhub::Client,
    pub(crate) events: aws_sdk_eventbridge::Client,
    pub(crate) elb: aws_sdk_elasticloadbalancing::Client,
    pub(crate) elbv2: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) network_firewall: aws_sdk_networkfirewall::Client,
    pub(crate) direct_connect: aws_sdk_directconnect::Client,
    pub(crate) ecs: aws_sdk_ecs::Client,
    pub(crate) rds: aws_sdk_rds::Client,
    /// With the moment from which they are asked for anew.
    pub(crate) registry: Mutex<Option<(RegistryCredentials, Timestamp)>>,
    /// What earlier sweeps learned of the functions.
    pub(crate) function_access: Mutex<KnownAccess>,
}

/// One service's client in `$region`. Retries have a partition of their own, so that an account that is throttled
/// does not use up the retries of another.
macro_rules! client {
    ($sdk:ident, $service:literal, $config:expr, $account:expr, $region:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from($config)
                .region($sdk::config::Region::new($region.as_str().to_owned()))
                .retry_partition(RetryPartition::new(format!("{}-{}-{}", $service, $account, $region)))
                .interceptor(CountThrottles { service: $service })
                .build(),
        )
    };
}

impl RegionClient {
    pub(crate) fn new(account: &AccountId, region: &Region, config: &SdkConfig, caller: Caller) -> Self {
        Self {
            inner: Arc::new(Clients {
                account: account.clone(),
                region: region.clone(),
                caller,
                ec2: client!(aws_sdk_ec2, "ec2", config, account, region),
                ecr: client!(aws_sdk_ecr, "ecr", config, account, region),
                lambda: client!(aws_sdk_lambda, "lambda", config, account, region),
                ssm: client!(aws_sdk_ssm, "ssm", config, account, region),
                security_hub: client!(aws_sdk_securityhub, "securityhub", config, account, region),
                events: client!(aws_sdk_eventbridge, "events", config, account, region),
                elb: client!(aws_sdk_elasticloadbalancing, "elasticloadbalancing", config, account, region),
                elbv2: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancing", config, account, region),
                network_firewall: client!(aws_sdk_networkfirewall, "network-firewall", config, account, region),
                direct_connect: client!(aws_sdk_directconnect, "directconnect", config, account, region),
                ecs: client!(aws_sdk_ecs, "ecs", config, account, region),
                rds: client!(aws_sdk_rds, "rds", config, account, region),
                registry: Mutex::new(None),
                function_access: Mutex::default(),
            }),
        }
    }

    /// The account that it works in.
    pub fn account(&self) -> &AccountId {
        &self.inner.account
    }

    /// The region that it works in.
    pub fn region(&self) -> &Region {
        &self.inner.region
    }
}

impl fmt::Debug for RegionClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RegionClient({} {})", self.inner.account, self.inner.region)
    }
}

/// The SDK's time as ours; `None` when out of range.
pub(crate) fn timestamp(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.secs(), time.subsec_nanos().try_into().ok()?).ok()
}

/// The value, or the call's cost in `missing`.
pub(crate) fn or_missing<T: Default>(answer: Result<T, AwsError>, cost: &str, missing: &mut Vec<String>) -> T {
    answer.unwrap_or_else(|error| {
        missing.push(format!("{error} (unknown: {cost})"));
        T::default()
    })
}

/// Tags as pairs of key and value; a key comes once per resource.
pub(crate) fn tags<'a>(pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> BTreeMap<String, String> {
    pairs.filter_map(|(key, value)| Some((key?.to_owned(), value.unwrap_or_default().to_owned()))).collect()
}
