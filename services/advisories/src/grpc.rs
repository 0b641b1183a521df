//! `muster.v1.AdvisoryService`.

use crate::Health;
use futures::{Stream, StreamExt};
use muster_kit::{
    Backends, Round,
    answers::{failed, status},
};
use muster_store::RecordChanges;
use muster_wire::v1::{
    self,
    advisory_service_server::{AdvisoryService, AdvisoryServiceServer},
};
use std::{pin::Pin, sync::Arc};
use tokio::sync::{Notify, watch};
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status};

/// One piece of a download, in bytes: well below gRPC's usual limit of 4 MiB a message.
const PIECE_BYTES: usize = 1024 * 1024;

/// Answers from the store; a refresh is asked for and waited for.
pub struct Questions {
    backends: Backends,
    health: Health,
    wake: Arc<Notify>,
    rounds: watch::Receiver<Round>,
}

impl Questions {
    pub(crate) fn new(backends: Backends, health: Health, wake: Arc<Notify>, rounds: watch::Receiver<Round>) -> Self {
        Self { backends, health, wake, rounds }
    }

    /// For the server's routes.
    pub fn into_service(self) -> AdvisoryServiceServer<Self> {
        AdvisoryServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl AdvisoryService for Questions {
    async fn get_epoch(&self, _: Request<v1::GetEpochRequest>) -> Result<Response<v1::GetEpochResponse>, Status> {
        let answer = match self.backends.store.latest_epoch().await.map_err(status)? {
            Some(epoch) => v1::GetEpochResponse {
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
            },
            None => v1::GetEpochResponse::default(),
        };
        Ok(Response::new(answer))
    }

    async fn list_feeds(&self, _: Request<v1::ListFeedsRequest>) -> Result<Response<v1::ListFeedsResponse>, Status> {
        let feeds = self.health.lock().await.clone();
        Ok(Response::new(v1::ListFeedsResponse { feeds }))
    }

    async fn refresh(&self, _: Request<v1::RefreshRequest>) -> Result<Response<v1::RefreshResponse>, Status> {
        let mut rounds = self.rounds.clone();
        rounds.mark_unchanged();
        self.wake.notify_one();
        rounds.changed().await.map_err(|_| Status::unavailable("advisories is stopping"))?;
        let epoch = self.backends.store.latest_epoch().await.map_err(status)?;
        Ok(Response::new(v1::RefreshResponse { epoch: epoch.map_or(0, |epoch| epoch.number) }))
    }

    type DownloadStream = Pin<Box<dyn Stream<Item = Result<v1::DownloadResponse, Status>> + Send>>;

    async fn download(&self, request: Request<v1::DownloadRequest>) -> Result<Response<Self::DownloadStream>, Status> {
        let number = match request.into_inner().epoch {
            0 => self.backends.store.latest_epoch().await.map_err(status)?.map(|epoch| epoch.number),
            number => Some(number),
        };
        let number = number.ok_or_else(|| Status::unavailable("there is no epoch yet"))?;
        let folder = tempfile::tempdir_in(&self.backends.data_folder).map_err(|error| failed(error.into()))?;
        let path = folder.path().join("download.advisories");
        self.backends.store.fetch_database(number, &path).await.map_err(status)?;
        let file = tokio::fs::File::open(&path).await.map_err(|error| failed(error.into()))?;
        // The folder goes with the stream, the file with its handle.
        let pieces = ReaderStream::with_capacity(file, PIECE_BYTES).map(move |piece| {
            let _kept = &folder;
            let data = piece.map_err(|error| failed(error.into()))?.into();
            Ok(v1::DownloadResponse { data })
        });
        Ok(Response::new(Box::pin(pieces)))
    }
}
