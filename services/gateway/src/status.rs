//! `muster.v1.StatusService`.

use muster_kit::{Backends, answers::status};
use muster_store::RecordChanges;
use muster_wire::v1::{
    self,
    status_service_server::{StatusService, StatusServiceServer},
};
use tonic::{Request, Response, Status};

/// Dead letters counted; more than this are as bad as this many.
const DEAD_LETTERS_MAX: usize = 10_000;

/// Answers from the store and the bus.
pub struct Questions {
    backends: Backends,
}

impl Questions {
    pub(crate) fn new(backends: Backends) -> Self {
        Self { backends }
    }

    /// For the server's routes.
    pub fn into_service(self) -> StatusServiceServer<Self> {
        StatusServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl StatusService for Questions {
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Result<Response<v1::GetStatusResponse>, Status> {
        let store = &self.backends.store;
        let counts = store.counts().await.map_err(status)?;
        let findings = store.severity_counts().await.map_err(status)?;
        let accounts = store.account_statuses().await.map_err(status)?;
        let epoch = store.latest_epoch().await.map_err(status)?;
        let coverage = store.scan_counts().await.map_err(status)?;
        let letters = self.backends.bus.dead_letters(DEAD_LETTERS_MAX).await;
        let letters = letters.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Response::new(v1::GetStatusResponse {
            resources: counts.resources,
            packages: counts.packages,
            findings: findings.into_iter().map(|(severity, count)| (severity.as_str().to_owned(), count)).collect(),
            accounts: accounts
                .into_iter()
                .map(|account| v1::AccountStatus {
                    account_id: account.account.to_string(),
                    region: account.region.to_string(),
                    error: account.error.unwrap_or_default(),
                    swept_at: Some(muster_wire::timestamp(account.swept_at)),
                })
                .collect(),
            epoch: epoch.map(|epoch| v1::GetEpochResponse {
                epoch: epoch.number,
                digest: epoch.digest.to_string(),
                built_at: Some(muster_wire::timestamp(epoch.built_at)),
                advisories: epoch.advisories,
                bytes: epoch.bytes,
                changes: epoch.changes.map(|RecordChanges { added, changed, withdrawn }| v1::RecordChanges {
                    added,
                    changed,
                    withdrawn,
                }),
            }),
            coverage: coverage.into_iter().collect(),
            dead_letters: letters.len() as u64,
        }))
    }
}
