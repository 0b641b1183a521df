//! `muster.v1.DiscoveryService`.

use muster_domain::{MalformedAccountId, Region, ResourceId};
use muster_kit::answers::{page_size, refused, status};
use muster_store::{ResourcePage, Store, StoredResource};
use muster_wire::v1::{self, discovery_service_server::DiscoveryService};
use std::sync::Arc;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

/// Answers from the store; a sweep is only asked for.
pub struct Questions {
    store: Store,
    wake: Arc<Notify>,
}

impl Questions {
    pub(crate) fn new(store: Store, wake: Arc<Notify>) -> Self {
        Self { store, wake }
    }

    /// For the server's routes.
    pub fn into_service(self) -> v1::discovery_service_server::DiscoveryServiceServer<Self> {
        v1::discovery_service_server::DiscoveryServiceServer::new(self)
    }
}

fn wire(stored: &StoredResource) -> v1::Resource {
    v1::Resource {
        observed_at: Some(muster_wire::timestamp(stored.observed_at)),
        gone_at: stored.gone_at.map(muster_wire::timestamp),
        ..(&stored.resource).into()
    }
}

#[tonic::async_trait]
impl DiscoveryService for Questions {
    async fn list_resources(
        &self,
        request: Request<v1::ListResourcesRequest>,
    ) -> Result<Response<v1::ListResourcesResponse>, Status> {
        let request = request.into_inner();
        let page_size = page_size(request.page_size)?;
        let some = |text: String| (!text.is_empty()).then_some(text);
        let page = ResourcePage {
            after: some(request.page_token),
            limit: page_size,
            account: some(request.account_id)
                .map(|raw| raw.parse().map_err(|error: MalformedAccountId| refused(error.to_string())))
                .transpose()?,
            region: some(request.region).map(Region::new),
            kind: match request.resource_type.as_str() {
                "" => None,
                raw => Some(
                    muster_domain::ResourceKind::parse(raw)
                        .ok_or_else(|| refused(format!("resource_type `{raw}` is unknown")))?,
                ),
            },
            include_gone: false,
        };
        let resources = self.store.resources(&page).await.map_err(status)?;
        let next_page_token = match resources.last() {
            Some(last) if resources.len() == page_size as usize => last.resource.id.to_string(),
            _ => String::new(),
        };
        let resources = resources.iter().map(wire).collect();
        Ok(Response::new(v1::ListResourcesResponse { resources, next_page_token }))
    }

    async fn get_resource(
        &self,
        request: Request<v1::GetResourceRequest>,
    ) -> Result<Response<v1::GetResourceResponse>, Status> {
        let id = ResourceId::new(request.into_inner().id);
        let stored = self.store.resource(&id).await.map_err(status)?;
        let stored = stored.ok_or_else(|| Status::not_found(format!("resource `{id}` is unknown")))?;
        Ok(Response::new(v1::GetResourceResponse { resource: Some(wire(&stored)) }))
    }

    async fn list_account_statuses(
        &self,
        _: Request<v1::ListAccountStatusesRequest>,
    ) -> Result<Response<v1::ListAccountStatusesResponse>, Status> {
        let statuses = self.store.account_statuses().await.map_err(status)?;
        let statuses = statuses
            .into_iter()
            .map(|status| v1::AccountStatus {
                account_id: status.account.to_string(),
                region: status.region.to_string(),
                error: status.error.unwrap_or_default(),
                swept_at: Some(muster_wire::timestamp(status.swept_at)),
            })
            .collect();
        Ok(Response::new(v1::ListAccountStatusesResponse { statuses }))
    }

    async fn sweep(&self, _: Request<v1::SweepRequest>) -> Result<Response<v1::SweepResponse>, Status> {
        self.wake.notify_one();
        Ok(Response::new(v1::SweepResponse {}))
    }
}
