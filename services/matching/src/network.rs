//! `muster.v1.NetworkService`.

use crate::exposure::Exposures;
use muster_domain::{MalformedAccountId, Region};
use muster_kit::answers::{failed, page_size, refused};
use muster_store::Store;
use muster_wire::v1::{
    self,
    network_service_server::{NetworkService, NetworkServiceServer},
};
use tonic::{Request, Response, Status};

/// Analyses what the store holds.
pub struct NetworkQuestions {
    store: Store,
    exposures: Exposures,
}

impl NetworkQuestions {
    /// With analyses of its own, which are made when asked for.
    pub fn new(store: Store) -> Self {
        Self { store, exposures: Exposures::default() }
    }

    /// For the server's routes.
    pub fn into_service(self) -> NetworkServiceServer<Self> {
        NetworkServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl NetworkService for NetworkQuestions {
    async fn list_reachabilities(
        &self,
        request: Request<v1::ListReachabilitiesRequest>,
    ) -> Result<Response<v1::ListReachabilitiesResponse>, Status> {
        let request = request.into_inner();
        let page_size = page_size(request.page_size)? as usize;
        let account = request.account_id.parse().map_err(|error: MalformedAccountId| refused(error.to_string()))?;
        let region = Region::new(request.region);
        let known = self.exposures.analysis(&self.store, &account, &region).await.map_err(failed)?;
        let (fingerprint, analysis) =
            known.ok_or_else(|| Status::not_found(format!("the network of {account} in {region} is not read yet")))?;
        let start = start(&request.page_token, fingerprint.as_str())?;
        let reachabilities: Vec<v1::NetworkReachability> =
            analysis.reachabilities.iter().skip(start).take(page_size).map(Into::into).collect();
        let end = start + reachabilities.len();
        let undetermined = if start == 0 { analysis.undetermined.as_slice() } else { &[] };
        let undetermined = undetermined.iter().map(|open| v1::UndeterminedReachability {
            resource_id: open.resource.clone().unwrap_or_default(),
            interface: open.interface.clone().unwrap_or_default(),
            edge: open.edge.clone().unwrap_or_default(),
            call: open.call.clone(),
            reason: open.reason.clone(),
        });
        Ok(Response::new(v1::ListReachabilitiesResponse {
            undetermined: undetermined.collect(),
            reachabilities,
            next_page_token: if end < analysis.reachabilities.len() {
                format!("{end} {}", fingerprint.as_str())
            } else {
                String::new()
            },
        }))
    }
}

/// Where the page begins. A token is of one state of the network: after a change, pages would not fit together.
fn start(token: &str, fingerprint: &str) -> Result<usize, Status> {
    if token.is_empty() {
        return Ok(0);
    }
    let malformed = || refused(format!("page_token `{token}` is not one of this list"));
    let (start, of) = token.split_once(' ').ok_or_else(malformed)?;
    if of != fingerprint {
        return Err(Status::aborted("the network changed between two pages: ask for the first one again"));
    }
    start.parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_counts_for_one_state_of_the_network() {
        let check = |token: &str, expected: Result<usize, tonic::Code>| {
            assert_eq!(start(token, "sha256:ab").map_err(|status| status.code()), expected, "{token}");
        };
        check("", Ok(0));
        check("100 sha256:ab", Ok(100));
        check("100 sha256:cd", Err(tonic::Code::Aborted));
        check("100", Err(tonic::Code::InvalidArgument));
        check("-1 sha256:ab", Err(tonic::Code::InvalidArgument));
    }
}
