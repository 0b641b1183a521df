//! `muster.v1.ScoringService`.

use muster_kit::answers::status;
use muster_store::Store;
use muster_wire::v1::{
    self,
    scoring_service_server::{ScoringService, ScoringServiceServer},
};
use tonic::{Request, Response, Status};

/// Answers from the store.
pub struct Questions {
    store: Store,
}

impl Questions {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// For the server's routes.
    pub fn into_service(self) -> ScoringServiceServer<Self> {
        ScoringServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl ScoringService for Questions {
    async fn count_findings(
        &self,
        _: Request<v1::CountFindingsRequest>,
    ) -> Result<Response<v1::CountFindingsResponse>, Status> {
        let counts = self.store.severity_counts().await.map_err(status)?;
        let active = counts.into_iter().map(|(severity, count)| (severity.as_str().to_owned(), count)).collect();
        Ok(Response::new(v1::CountFindingsResponse { active }))
    }
}
