//! Transit gateways (EC2): what is attached to them, and for each of their route tables what it is for and says.
//! A gateway that another account shares is described here, its tables only there.

use super::asked::{about_each, noted};
use crate::{RegionClient, call::pages};
use aws_sdk_ec2::types as ec2;
use muster_network::topology::*;

/// Items of one page; AWS' maximum.
const PER_PAGE: i32 = 1000;

impl RegionClient {
    pub(super) async fn add_transit_gateways(&self, topology: &mut Topology) {
        let gateways =
            paged!(self, ec2, "ec2:DescribeTransitGateways", describe_transit_gateways, PER_PAGE, transit_gateways);
        topology.transit_gateways = noted(topology, "ec2:DescribeTransitGateways", gateways.await);
        if topology.transit_gateways.is_empty() {
            return;
        }
        let (attachments, of_vpcs, tables) = tokio::join!(
            paged!(
                self,
                ec2,
                "ec2:DescribeTransitGatewayAttachments",
                describe_transit_gateway_attachments,
                PER_PAGE,
                transit_gateway_attachments
            ),
            paged!(
                self,
                ec2,
                "ec2:DescribeTransitGatewayVpcAttachments",
                describe_transit_gateway_vpc_attachments,
                PER_PAGE,
                transit_gateway_vpc_attachments
            ),
            paged!(
                self,
                ec2,
                "ec2:DescribeTransitGatewayRouteTables",
                describe_transit_gateway_route_tables,
                PER_PAGE,
                transit_gateway_route_tables
            ),
        );
        topology.transit_gateway_attachments = noted(topology, "ec2:DescribeTransitGatewayAttachments", attachments);
        topology.transit_gateway_vpc_attachments = noted(topology, "ec2:DescribeTransitGatewayVpcAttachments", of_vpcs);
        topology.transit_gateway_route_tables = noted(topology, "ec2:DescribeTransitGatewayRouteTables", tables);
        self.add_rare_attachments(topology).await;
        self.add_tables(topology).await;
    }

    /// Peerings of transit gateways and tunnels over other attachments, where there are any.
    async fn add_rare_attachments(&self, topology: &mut Topology) {
        let is_there = |kinds: &[&str]| {
            topology.transit_gateway_attachments.iter().any(|other| kinds.contains(&other.resource_type.as_str()))
        };
        let (peered, connected) = (is_there(&["peering", "tgw-peering"]), is_there(&["connect"]));
        if peered {
            let attachments = paged!(
                self,
                ec2,
                "ec2:DescribeTransitGatewayPeeringAttachments",
                describe_transit_gateway_peering_attachments,
                PER_PAGE,
                transit_gateway_peering_attachments
            );
            topology.transit_gateway_peering_attachments =
                noted(topology, "ec2:DescribeTransitGatewayPeeringAttachments", attachments.await);
        }
        if connected {
            let connects = paged!(
                self,
                ec2,
                "ec2:DescribeTransitGatewayConnects",
                describe_transit_gateway_connects,
                PER_PAGE,
                transit_gateway_connects
            );
            topology.transit_gateway_connects = noted(topology, "ec2:DescribeTransitGatewayConnects", connects.await);
        }
    }

    async fn add_tables(&self, topology: &mut Topology) {
        let tables: Vec<String> = topology
            .transit_gateway_route_tables
            .iter()
            .map(|table| table.transit_gateway_route_table_id.clone())
            .collect();
        topology.transit_gateway_route_table_associations =
            about_each(topology, "ec2:GetTransitGatewayRouteTableAssociations", tables.clone(), |id| async move {
                let associations = paged!(
                    self,
                    ec2,
                    "ec2:GetTransitGatewayRouteTableAssociations",
                    get_transit_gateway_route_table_associations,
                    PER_PAGE,
                    associations,
                    transit_gateway_route_table_id(&id)
                );
                let associations = associations.await?;
                Ok(TransitGatewayRouteTableAssociations { transit_gateway_route_table_id: id, associations })
            })
            .await;
        topology.transit_gateway_route_table_propagations =
            about_each(topology, "ec2:GetTransitGatewayRouteTablePropagations", tables.clone(), |id| async move {
                let propagations = paged!(
                    self,
                    ec2,
                    "ec2:GetTransitGatewayRouteTablePropagations",
                    get_transit_gateway_route_table_propagations,
                    PER_PAGE,
                    transit_gateway_route_table_propagations,
                    transit_gateway_route_table_id(&id)
                );
                let propagations = propagations.await?;
                Ok(TransitGatewayRouteTablePropagations {
                    transit_gateway_route_table_id: id,
                    transit_gateway_route_table_propagations: propagations,
                })
            })
            .await;
        topology.transit_gateway_routes =
            about_each(topology, "ec2:SearchTransitGatewayRoutes", tables, |id| self.transit_gateway_routes(id)).await;
    }

    /// The routes of one table, those too that swallow what they match. AWS cuts very long tables and says so.
    async fn transit_gateway_routes(&self, id: String) -> Result<TransitGatewayRoutes, crate::AwsError> {
        const ACTION: &str = "ec2:SearchTransitGatewayRoutes";
        let mut found = pages(ACTION, |token| {
            let states = ec2::Filter::builder().name("state").values("active").values("blackhole").build();
            let request = self
                .inner
                .ec2
                .search_transit_gateway_routes()
                .transit_gateway_route_table_id(&id)
                .filters(states)
                .max_results(PER_PAGE)
                .set_next_token(token);
            async move {
                let mut page = self.inner.caller.call(ACTION, request.send()).await?;
                let next = page.next_token.take();
                Ok((vec![page], next))
            }
        })
        .await?;
        let additional_routes_available =
            found.last().and_then(|page| page.additional_routes_available).unwrap_or_default();
        let routes = found.iter_mut().flat_map(|page| page.routes.take().unwrap_or_default());
        let routes = routes.map(super::told::Told::told).collect();
        Ok(TransitGatewayRoutes { transit_gateway_route_table_id: id, routes, additional_routes_available })
    }
}

told! {
    ec2::TransitGateway => TransitGateway { transit_gateway_id, transit_gateway_arn, owner_id, state, options }
    ec2::TransitGatewayOptions => TransitGatewayOptions {
        security_group_referencing_support, association_default_route_table_id, propagation_default_route_table_id,
    }
    ec2::TransitGatewayAttachment => TransitGatewayAttachment {
        transit_gateway_attachment_id, transit_gateway_id, transit_gateway_owner_id, resource_owner_id, resource_type,
        resource_id, state, association,
    }
    ec2::TransitGatewayAttachmentAssociation => TransitGatewayAttachmentAssociation {
        transit_gateway_route_table_id, state,
    }
    ec2::TransitGatewayVpcAttachment => TransitGatewayVpcAttachment {
        transit_gateway_attachment_id, transit_gateway_id, vpc_id, vpc_owner_id, state, subnet_ids, options,
    }
    ec2::TransitGatewayVpcAttachmentOptions => TransitGatewayVpcAttachmentOptions {
        security_group_referencing_support, ipv6_support, appliance_mode_support,
    }
    ec2::TransitGatewayPeeringAttachment => TransitGatewayPeeringAttachment {
        transit_gateway_attachment_id, requester_tgw_info, accepter_tgw_info, state,
    }
    ec2::PeeringTgwInfo => PeeredTransitGateway { transit_gateway_id, owner_id, region }
    ec2::TransitGatewayConnect => TransitGatewayConnect {
        transit_gateway_attachment_id, transport_transit_gateway_attachment_id, transit_gateway_id, state,
    }
    ec2::TransitGatewayRouteTable => TransitGatewayRouteTable {
        transit_gateway_route_table_id, transit_gateway_id, state,
    }
    ec2::TransitGatewayRouteTableAssociation => TransitGatewayTableEntry {
        transit_gateway_attachment_id, resource_id, resource_type, state,
    }
    ec2::TransitGatewayRouteTablePropagation => TransitGatewayTableEntry {
        transit_gateway_attachment_id, resource_id, resource_type, state,
    }
    ec2::TransitGatewayRoute => TransitGatewayRoute {
        destination_cidr_block, prefix_list_id, transit_gateway_attachments, route_type = r#type, state,
    }
    ec2::TransitGatewayRouteAttachment => TransitGatewayRouteAttachment {
        transit_gateway_attachment_id, resource_id, resource_type,
    }
}

words! {
    ec2::TransitGatewayState ec2::SecurityGroupReferencingSupportValue ec2::TransitGatewayAttachmentResourceType
    ec2::TransitGatewayAttachmentState ec2::TransitGatewayAssociationState ec2::Ipv6SupportValue
    ec2::ApplianceModeSupportValue ec2::TransitGatewayRouteTableState ec2::TransitGatewayPropagationState
    ec2::TransitGatewayRouteType ec2::TransitGatewayRouteState
}
