//! `muster.v1.PublishingService`.

use crate::sink::Sink;
use muster_bus::Bus;
use muster_kit::answers::{page_size, status};
use muster_store::Store;
use muster_wire::v1::{
    self,
    publishing_service_server::{PublishingService, PublishingServiceServer},
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Answers from the store and the bus.
pub struct Questions {
    store: Store,
    bus: Arc<dyn Bus>,
    sinks: Vec<Sink>,
}

impl Questions {
    /// It needs no more than the store and the bus, so any process can answer.
    pub fn new(store: Store, bus: Arc<dyn Bus>, sinks: Vec<Sink>) -> Self {
        Self { store, bus, sinks }
    }

    /// For the server's routes.
    pub fn into_service(self) -> PublishingServiceServer<Self> {
        PublishingServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl PublishingService for Questions {
    async fn list_sinks(&self, _: Request<v1::ListSinksRequest>) -> Result<Response<v1::ListSinksResponse>, Status> {
        let mut sinks = Vec::new();
        for sink in &self.sinks {
            let behind = self.store.unpublished_count(sink.name()).await.map_err(status)?;
            sinks.push(v1::Sink { name: sink.to_string(), behind });
        }
        Ok(Response::new(v1::ListSinksResponse { sinks }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let limit = page_size(request.into_inner().limit)? as usize;
        let letters = self.bus.dead_letters(limit).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let dead_letters = letters
            .into_iter()
            .map(|letter| v1::DeadLetter {
                id: letter.id,
                group: letter.group,
                subject: letter.message.subject.to_string(),
                reason: letter.reason,
                attempts: letter.attempts,
                at: Some(muster_wire::timestamp(letter.at)),
            })
            .collect();
        Ok(Response::new(v1::ListDeadLettersResponse { dead_letters }))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<v1::ReplayDeadLetterRequest>,
    ) -> Result<Response<v1::ReplayDeadLetterResponse>, Status> {
        let id = request.into_inner().id;
        self.bus.replay(&id).await.map_err(|error| Status::not_found(error.to_string()))?;
        Ok(Response::new(v1::ReplayDeadLetterResponse {}))
    }
}
