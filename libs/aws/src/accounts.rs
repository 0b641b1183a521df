//! The organization: whose credentials we hold, which accounts there are, and how each is entered.

use crate::{
    AwsError, AwsOptions, RegionClient,
    call::{Caller, CountThrottles, pages},
};
use aws_config::{BehaviorVersion, SdkConfig, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_sdk_organizations::types::AccountState;
use aws_smithy_http_client::tls;
use muster_cache::Cache;
use muster_domain::{AccountId, Region};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex;

/// Longest time to open a connection: AWS answers within a second or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for one attempt with its answer: the largest page (1,000 instances) takes seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// Credentials that end sooner than this are renewed, so that no call in flight outlives them.
const CREDENTIALS_MARGIN: Duration = Duration::from_secs(5 * 60);
/// Region clients that are kept. Making one is cheap, but six SDK clients take up to a megabyte, and an organization
/// may have ten thousand accounts; those that are in use live on when the rest is dropped.
const CLIENTS_MAX: usize = 64;
/// The name under which our sessions stand in CloudTrail.
const SESSION_NAME: &str = "muster";

/// The organization as the caller's credentials see it. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    options: AwsOptions,
    cache: Arc<dyn Cache>,
    base: SdkConfig,
    sts: aws_sdk_sts::Client,
    regions: Vec<Region>,
    caller_account: AccountId,
    /// `aws`, `aws-cn`, `aws-us-gov`: role ARNs begin with it.
    partition: String,
    /// Per account: how it is entered. Credentials live in there.
    configs: Mutex<HashMap<AccountId, Entry>>,
    clients: Mutex<HashMap<(AccountId, Region), RegionClient>>,
}

/// How one account is entered.
#[derive(Clone)]
struct Entry {
    sdk: SdkConfig,
    /// `None` for the caller's own account.
    role: Option<Arc<AssumedRole>>,
}

impl Aws {
    /// Finds credentials in the default chain and asks whose they are. `cache` holds the rates shared by all replicas.
    pub async fn connect(options: &AwsOptions, cache: Arc<dyn Cache>) -> Result<Self, AwsError> {
        Self::connect_as(options, cache, None).await
    }

    /// As [`connect`](Self::connect), with keys that the program holds itself instead of the default chain.
    pub async fn connect_with_keys(
        options: &AwsOptions,
        cache: Arc<dyn Cache>,
        access_key_id: &str,
        secret_access_key: &SecretString,
    ) -> Result<Self, AwsError> {
        let keys = Credentials::new(access_key_id, secret_access_key.expose_secret(), None, None, "Program");
        Self::connect_as(options, cache, Some(keys)).await
    }

    async fn connect_as(
        options: &AwsOptions,
        cache: Arc<dyn Cache>,
        keys: Option<Credentials>,
    ) -> Result<Self, AwsError> {
        let regions = options.effective_regions();
        let home = regions[0].clone();
        let base = base_config(options, &home, keys).await;
        let caller = Caller::new(cache.clone(), None, home);
        let sts = sts_client(&base);
        let identity = caller.call("sts:GetCallerIdentity", sts.get_caller_identity().send()).await?;
        let caller_account = identity.account().unwrap_or_default().parse().map_err(
            |malformed: muster_domain::MalformedAccountId| {
                AwsError::other("sts:GetCallerIdentity", malformed.to_string())
            },
        )?;
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        Ok(Self {
            inner: Arc::new(Inner {
                options: options.clone(),
                cache,
                base,
                sts,
                regions,
                caller_account,
                partition,
                configs: Mutex::default(),
                clients: Mutex::default(),
            }),
        })
    }

    /// The account that the credentials belong to.
    pub fn caller_account(&self) -> &AccountId {
        &self.inner.caller_account
    }

    /// The regions to watch, never empty.
    pub fn regions(&self) -> Vec<Region> {
        self.inner.regions.clone()
    }

    /// The accounts to watch, sorted: those of the options; else the active ones of the organization; else, without
    /// an organization or without the right to list it, the caller's own.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, AwsError> {
        let mut accounts = match &self.inner.options.accounts[..] {
            [] => self.organization_accounts().await?,
            named => named.to_vec(),
        };
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    async fn organization_accounts(&self) -> Result<Vec<AccountId>, AwsError> {
        const ACTION: &str = "organizations:ListAccounts";
        let organizations = aws_sdk_organizations::Client::from_conf(
            aws_sdk_organizations::config::Builder::from(&self.inner.base)
                .interceptor(CountThrottles { service: "organizations" })
                .build(),
        );
        let own = || vec![self.inner.caller_account.clone()];
        let caller = self.caller_of(&self.inner.caller_account, &self.inner.regions[0]);
        let listed = pages(ACTION, |token| {
            let request = organizations.list_accounts().max_results(20).set_next_token(token);
            let call = caller.call(ACTION, request.send());
            async move {
                let page = call.await?;
                Ok((page.accounts.unwrap_or_default(), page.next_token))
            }
        })
        .await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) if error.is_denied() || error.to_string().contains("AWSOrganizationsNotInUseException") => {
                tracing::info!(%error, account = %self.inner.caller_account, "organization not listed, watching the caller's account only");
                return Ok(own());
            }
            Err(error) => return Err(error),
        };
        let mut accounts = Vec::with_capacity(listed.len());
        for account in listed.iter().filter(|account| is_active(account)) {
            match account.id().unwrap_or_default().parse() {
                Ok(id) => accounts.push(id),
                Err(malformed) => {
                    tracing::warn!(%malformed, "account of the organization left out")
                }
            }
        }
        Ok(if accounts.is_empty() { own() } else { accounts })
    }

    /// The clients of one region of one account. In another account than the caller's own the role is assumed
    /// here, so that a denial shows here; the next use tries again.
    pub async fn in_region(&self, account: &AccountId, region: &Region) -> Result<RegionClient, AwsError> {
        let entry = self.entry(account).await;
        if let Some(role) = &entry.role {
            role.credentials().await?;
        }
        let key = (account.clone(), region.clone());
        let mut clients = self.inner.clients.lock().await;
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&key) {
            clients.clear();
        }
        let client = clients
            .entry(key)
            .or_insert_with(|| RegionClient::new(account, region, &entry.sdk, self.caller_of(account, region)));
        Ok(client.clone())
    }

    async fn entry(&self, account: &AccountId) -> Entry {
        let mut configs = self.inner.configs.lock().await;
        if let Some(entry) = configs.get(account) {
            return entry.clone();
        }
        let entry = if *account == self.inner.caller_account {
            Entry { sdk: self.inner.base.clone(), role: None }
        } else {
            let role = Arc::new(self.role_in(account));
            let sdk = self
                .inner
                .base
                .to_builder()
                .credentials_provider(SharedCredentialsProvider::new(Provider(role.clone())))
                .identity_cache(IdentityCache::lazy().build())
                .build();
            Entry { sdk, role: Some(role) }
        };
        configs.insert(account.clone(), entry.clone());
        entry
    }

    fn role_in(&self, account: &AccountId) -> AssumedRole {
        AssumedRole {
            arn: format!("arn:{}:iam::{account}:role/{}", self.inner.partition, self.inner.options.role_name),
            external_id: self.inner.options.external_id.clone(),
            sts: self.inner.sts.clone(),
            caller: self.caller_of(account, &self.inner.regions[0]),
            held: Mutex::new(None),
        }
    }

    fn caller_of(&self, account: &AccountId, region: &Region) -> Caller {
        Caller::new(self.inner.cache.clone(), Some(account.clone()), region.clone())
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        formatter.debug_struct("Aws").field("account", &inner.caller_account).field("regions", &inner.regions).finish()
    }
}

/// Suspended and closed accounts can't be entered. `State` replaced `Status`; older answers have only the latter.
fn is_active(account: &aws_sdk_organizations::types::Account) -> bool {
    #[allow(deprecated)] // emulators and older partitions answer with Status alone
    match (account.state(), account.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, Some(status)) => *status == aws_sdk_organizations::types::AccountStatus::Active,
        (None, None) => true,
    }
}

/// What all clients share: HTTP, retries, time limits, endpoint, and credentials: `keys`, else the default chain's.
async fn base_config(options: &AwsOptions, home: &Region, keys: Option<Credentials>) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(aws_types::region::Region::new(home.as_str().to_owned()))
        .retry_config(RetryConfig::standard().with_max_attempts(options.attempts))
        .timeout_config(timeouts)
        .app_name(aws_config::AppName::new("muster").expect("letters are a valid application name"));
    if let Some(keys) = keys {
        loader = loader.credentials_provider(keys);
    }
    if let Some(endpoint) = &options.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

fn sts_client(config: &SdkConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(CountThrottles { service: "sts" });
    aws_sdk_sts::Client::from_conf(config.build())
}

/// A role in another account. Its credentials are kept and renewed before they end; a denial is not kept.
struct AssumedRole {
    arn: String,
    external_id: Option<String>,
    sts: aws_sdk_sts::Client,
    caller: Caller,
    /// The lock is held while assuming, so that many users at once make one call.
    held: Mutex<Option<Credentials>>,
}

impl AssumedRole {
    async fn credentials(&self) -> Result<Credentials, AwsError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| outlives_margin(credentials)) {
            return Ok(credentials.clone());
        }
        let fresh = self.assume().await?;
        *held = Some(fresh.clone());
        Ok(fresh)
    }

    async fn assume(&self) -> Result<Credentials, AwsError> {
        const ACTION: &str = "sts:AssumeRole";
        let request = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(SESSION_NAME)
            .set_external_id(self.external_id.clone());
        let answer = self.caller.call(ACTION, request.send()).await?;
        let keys = answer.credentials().ok_or_else(|| AwsError::other(ACTION, "the answer has no credentials"))?;
        let expiry = SystemTime::try_from(*keys.expiration())
            .map_err(|_| AwsError::other(ACTION, "the answer's expiration is out of range"))?;
        let token = Some(keys.session_token().to_owned());
        Ok(Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, Some(expiry), "AssumeRole"))
    }
}

fn outlives_margin(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + CREDENTIALS_MARGIN)
}

/// The role as the SDK asks for it, once for each renewal.
struct Provider(Arc<AssumedRole>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.0.credentials().await.map_err(CredentialsError::provider_error) })
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Provider({})", self.0.arn)
    }
}
