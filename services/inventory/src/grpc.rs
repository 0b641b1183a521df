//! `muster.v1.InventoryService`.

use muster_bus::{Bus, Fact, Lane, Subject};
use muster_domain::{Gap, Resource, ResourceId};
use muster_kit::answers::{page_size, status};
use muster_store::{ResourcePage, Scan, Store};
use muster_wire::v1::{
    self,
    inventory_service_server::{InventoryService, InventoryServiceServer},
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Answers from the store; a rescan is only asked for.
pub struct Questions {
    store: Store,
    bus: Arc<dyn Bus>,
}

impl Questions {
    /// It needs no more than the store and the bus, so any process can answer.
    pub fn new(store: Store, bus: Arc<dyn Bus>) -> Self {
        Self { store, bus }
    }

    /// For the server's routes.
    pub fn into_service(self) -> InventoryServiceServer<Self> {
        InventoryServiceServer::new(self)
    }
}

/// `gaps`: what matching could not judge, which nobody may take for "not affected".
fn coverage(resource: &Resource, scan: Option<Scan>, gaps: &[Gap]) -> v1::Coverage {
    let (status_code, reason, detail, inventory_digest, scanned_at) = match scan {
        Some(Scan { coverage, .. }) => (
            spelled(&coverage.reason.code()),
            spelled(&coverage.reason),
            coverage.detail,
            coverage.inventory.map(String::from).unwrap_or_default(),
            Some(muster_wire::timestamp(coverage.scanned_at)),
        ),
        None => ("INACTIVE".to_owned(), "PENDING_INITIAL_SCAN".to_owned(), String::new(), String::new(), None),
    };
    // What the inventory misses, the scan said already.
    let gaps = gaps.iter().map(|gap| format!("undetermined: {gap}")).filter(|gap| !detail.contains(gap.as_str()));
    let gaps: Vec<String> = gaps.collect();
    let detail: Vec<String> = gaps.into_iter().chain((!detail.is_empty()).then_some(detail)).collect();
    v1::Coverage {
        resource_id: resource.id.to_string(),
        account_id: resource.account.to_string(),
        region: resource.region.to_string(),
        resource_type: resource.kind().as_str().to_owned(),
        status_code,
        reason,
        detail: detail.join("\n"),
        inventory_digest,
        scanned_at,
    }
}

/// As the value is spelled in JSON, which is Inspector's spelling.
fn spelled<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => unreachable!("a variant without fields is a text in JSON, not {other:?}"),
    }
}

#[tonic::async_trait]
impl InventoryService for Questions {
    async fn get_inventory(
        &self,
        request: Request<v1::GetInventoryRequest>,
    ) -> Result<Response<v1::GetInventoryResponse>, Status> {
        let id = ResourceId::new(request.into_inner().resource_id);
        let stored = self.store.resource(&id).await.map_err(status)?;
        let stored = stored.ok_or_else(|| Status::not_found(format!("resource `{id}` is unknown")))?;
        let scan = self.store.scan(&id).await.map_err(status)?;
        let gaps = self.store.gaps_of(std::slice::from_ref(&id)).await.map_err(status)?;
        let inventory = match scan.as_ref().and_then(|scan| scan.coverage.inventory.as_ref()) {
            Some(digest) => self.store.inventory(digest).await.map_err(status)?.unwrap_or_default(),
            None => Default::default(),
        };
        Ok(Response::new(v1::GetInventoryResponse {
            coverage: Some(coverage(&stored.resource, scan, gaps.get(&id).map(Vec::as_slice).unwrap_or_default())),
            operating_system: inventory.os.map(|os| os.pretty_name).unwrap_or_default(),
            packages: inventory.packages.iter().map(Into::into).collect(),
            skipped: inventory
                .skipped
                .into_iter()
                .map(|skipped| v1::Skipped { place: skipped.place, reason: skipped.reason })
                .collect(),
            limits_reached: inventory.limits_reached,
        }))
    }

    async fn list_coverage(
        &self,
        request: Request<v1::ListCoverageRequest>,
    ) -> Result<Response<v1::ListCoverageResponse>, Status> {
        let request = request.into_inner();
        let limit = page_size(request.page_size)?;
        let after = (!request.page_token.is_empty()).then_some(request.page_token);
        let page = ResourcePage { after, limit, account: None, region: None, kind: None, include_gone: false };
        let resources = self.store.resources(&page).await.map_err(status)?;
        let next_page_token = match resources.last() {
            Some(last) if resources.len() == limit as usize => last.resource.id.to_string(),
            _ => String::new(),
        };
        let ids: Vec<ResourceId> = resources.iter().map(|stored| stored.resource.id.clone()).collect();
        let gaps = self.store.gaps_of(&ids).await.map_err(status)?;
        let mut scans = self.store.scans_of(&ids).await.map_err(status)?;
        let mut answers = Vec::with_capacity(resources.len());
        for stored in &resources {
            let scan = scans.remove(&stored.resource.id);
            let gaps = gaps.get(&stored.resource.id).map(Vec::as_slice).unwrap_or_default();
            answers.push(coverage(&stored.resource, scan, gaps));
        }
        Ok(Response::new(v1::ListCoverageResponse { coverage: answers, next_page_token }))
    }

    async fn rescan(&self, request: Request<v1::RescanRequest>) -> Result<Response<v1::RescanResponse>, Status> {
        let id = ResourceId::new(request.into_inner().resource_id);
        let stored = self.store.resource(&id).await.map_err(status)?;
        let stored = stored.ok_or_else(|| Status::not_found(format!("resource `{id}` is unknown")))?;
        let resource = &stored.resource;
        let subject = Subject::new(
            Fact::ResourceObserved,
            resource.account.as_str(),
            resource.region.as_str(),
            resource.kind().token(),
            Lane::OnDemand,
        );
        let fact = v1::ResourceObserved { resource_id: id.to_string(), fingerprint: stored.fingerprint.to_string() };
        let message = muster_kit::message(&subject, id.as_str(), &fact);
        self.bus.publish(message).await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Response::new(v1::RescanResponse {}))
    }
}
