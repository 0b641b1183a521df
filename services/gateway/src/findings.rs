//! `muster.v1.FindingService`.

use muster_domain::{Finding, FindingDetails, FindingId, Reachability};
use muster_engine::scoring::{self, Exposure};
use muster_kit::answers::{failed, page_size, refused, status};
use muster_store::{FindingFilter, FindingQuery, Sort, SortField, Store, StoreError, StringFilter};
use muster_wire::v1::{
    self,
    finding_service_server::{FindingService, FindingServiceServer},
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
    pub fn into_service(self) -> FindingServiceServer<Self> {
        FindingServiceServer::new(self)
    }

    /// By ARN or by its last 32 digits.
    async fn find(&self, raw: &str) -> Result<Finding, Status> {
        let digits = raw.rsplit('/').next().unwrap_or_default();
        let id = FindingId::parse(digits).ok_or_else(|| refused(format!("`{raw}` is no finding's ARN or id")))?;
        let finding = self.store.finding(&id).await.map_err(status)?;
        finding.ok_or_else(|| Status::not_found(format!("finding `{id}` is unknown")))
    }
}

fn filter(wire: v1::FindingFilter) -> FindingFilter {
    let equals = |values: Vec<String>| values.into_iter().map(StringFilter::equals).collect();
    FindingFilter {
        finding_arn: equals(wire.finding_arn),
        account: equals(wire.account_id),
        region: equals(wire.region),
        finding_type: equals(wire.finding_type),
        severity: equals(wire.severity),
        status: equals(wire.status),
        resource_type: equals(wire.resource_type),
        resource_id: equals(wire.resource_id),
        vulnerability_id: equals(wire.vulnerability_id),
        package_name: equals(wire.package_name),
        fix_available: equals(wire.fix_available),
        exploit_available: equals(wire.exploit_available),
        title: wire.title_prefix.into_iter().map(StringFilter::prefix).collect(),
        ..FindingFilter::default()
    }
}

fn sort(field: &str, ascending: bool) -> Result<Sort, Status> {
    let field = match field {
        "" => SortField::Severity,
        raw => SortField::parse(raw).ok_or_else(|| refused(format!("sort_field `{raw}` is unknown")))?,
    };
    Ok(Sort { field, descending: !ascending })
}

#[tonic::async_trait]
impl FindingService for Questions {
    async fn list_findings(
        &self,
        request: Request<v1::ListFindingsRequest>,
    ) -> Result<Response<v1::ListFindingsResponse>, Status> {
        let request = request.into_inner();
        let query = FindingQuery {
            filter: filter(request.filter.unwrap_or_default()),
            sort: Some(sort(&request.sort_field, request.ascending)?),
            page_size: page_size(request.page_size)?,
            after: (!request.page_token.is_empty()).then_some(request.page_token),
        };
        let page = match self.store.findings(&query).await {
            Err(StoreError::ForeignCursor) => return Err(refused("page_token belongs to another question")),
            page => page.map_err(status)?,
        };
        Ok(Response::new(v1::ListFindingsResponse {
            findings: page.findings.iter().map(Into::into).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    async fn get_finding(
        &self,
        request: Request<v1::GetFindingRequest>,
    ) -> Result<Response<v1::GetFindingResponse>, Status> {
        let finding = self.find(&request.into_inner().id).await?;
        Ok(Response::new(v1::GetFindingResponse { finding: Some((&finding).into()) }))
    }

    async fn explain_finding(
        &self,
        request: Request<v1::ExplainFindingRequest>,
    ) -> Result<Response<v1::ExplainFindingResponse>, Status> {
        let finding = self.find(&request.into_inner().id).await?;
        let resource = self.store.resource(&finding.resource).await.map_err(status)?;
        let matched = self.store.matched(&finding.resource).await.map_err(status)?;
        let exposure: Option<Exposure> = matched
            .map(|matched| serde_json::from_slice(&matched.exposure))
            .transpose()
            .map_err(|error| failed(error.into()))?;
        let (verdicts, network): (Vec<v1::Verdict>, Vec<Reachability>) = match &finding.details {
            FindingDetails::Package(details) => (
                details.packages.iter().map(|vulnerable| (&vulnerable.verdict).into()).collect(),
                exposure.as_ref().map(|exposure| exposure.reachabilities.clone()).unwrap_or_default(),
            ),
            FindingDetails::Network(details) => (Vec::new(), vec![details.reachability.clone()]),
        };
        Ok(Response::new(v1::ExplainFindingResponse {
            score_reasons: scoring::reasons(&finding, exposure.as_ref()),
            finding: Some((&finding).into()),
            resource: resource.map(|stored| (&stored.resource).into()),
            verdicts,
            network: network.iter().map(Into::into).collect(),
        }))
    }
}
