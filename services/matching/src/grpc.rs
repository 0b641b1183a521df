//! `muster.v1.MatchingService`.

use crate::Shared;
use muster_domain::{Gap, ResourceId, Status};
use muster_engine::matching;
use muster_kit::answers::{failed, refused, status};
use muster_wire::v1::{
    self,
    matching_service_server::{MatchingService, MatchingServiceServer},
};
use std::sync::Arc;
use tonic::{Request, Response};

/// The largest SBOM taken, in bytes; `proto/` names it too.
const SBOM_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Judges what is sent, and answers from the store.
pub struct Questions {
    shared: Arc<Shared>,
}

impl Questions {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// For the server's routes.
    pub fn into_service(self) -> MatchingServiceServer<Self> {
        MatchingServiceServer::new(self).max_decoding_message_size(SBOM_BYTES_MAX + 1024)
    }
}

fn gaps(gaps: Vec<Gap>) -> Vec<v1::Gap> {
    let wire = |gap: Gap| v1::Gap { reason: format!("{}: {}", gap.ecosystem, gap.reason), packages: gap.packages };
    gaps.into_iter().map(wire).collect()
}

#[tonic::async_trait]
impl MatchingService for Questions {
    async fn match_sbom(
        &self,
        request: Request<v1::MatchSbomRequest>,
    ) -> Result<Response<v1::MatchSbomResponse>, tonic::Status> {
        let request = request.into_inner();
        if request.cyclonedx.len() > SBOM_BYTES_MAX {
            return Err(refused(format!("the SBOM is longer than {SBOM_BYTES_MAX} bytes")));
        }
        let inventory =
            muster_packages::cyclonedx::read(&request.cyclonedx).map_err(|error| refused(error.to_string()))?;
        let open = self.shared.current.newest().await.map_err(failed)?;
        let open = open.ok_or_else(|| tonic::Status::unavailable("there is no advisory database yet"))?;
        let judged =
            tokio::task::spawn_blocking(move || (open.epoch, matching::match_inventory(&inventory, &open.database)));
        let (epoch, matches) = judged.await.map_err(|error| failed(error.into()))?;
        let verdicts = matches
            .verdicts
            .iter()
            .filter(|verdict| request.include_not_affected || verdict.status != Status::NotAffected)
            .map(Into::into)
            .collect();
        Ok(Response::new(v1::MatchSbomResponse { epoch, verdicts, gaps: gaps(matches.gaps) }))
    }

    async fn get_match(
        &self,
        request: Request<v1::GetMatchRequest>,
    ) -> Result<Response<v1::GetMatchResponse>, tonic::Status> {
        let id = ResourceId::new(request.into_inner().resource_id);
        let store = &self.shared.backends.store;
        let matched = store.matched(&id).await.map_err(status)?;
        let matched = matched.ok_or_else(|| tonic::Status::not_found(format!("resource `{id}` is not matched")))?;
        let set = store.verdict_set(&matched.verdicts).await.map_err(status)?.unwrap_or_default();
        Ok(Response::new(v1::GetMatchResponse {
            epoch: matched.key.epoch,
            inventory_digest: matched.key.inventory.map(String::from).unwrap_or_default(),
            verdicts: set.verdicts.iter().map(Into::into).collect(),
            not_affected: set.not_affected,
            gaps: gaps(set.gaps),
        }))
    }
}
