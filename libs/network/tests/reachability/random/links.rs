//! What joins the VPCs with each other, with somebody else's, and with the premises.

use super::{ACCOUNT, Answers, BLOCKS, Dice, REGION, put};
use serde_json::{Value, json};

const STRANGER: &str = "210987654321";

pub fn peerings(dice: &mut Dice, answers: &mut Answers) {
    let side = |vpc: &str, owner: &str, block: &str, ipv6: &[&str]| {
        json!({
            "VpcId": vpc, "OwnerId": owner, "Region": REGION, "CidrBlock": block,
            "CidrBlockSet": [{"CidrBlock": block}],
            "Ipv6CidrBlockSet": ipv6.iter().map(|block| json!({"Ipv6CidrBlock": block})).collect::<Vec<_>>(),
        })
    };
    let ours = || side("vpc-1", ACCOUNT, "10.0.0.0/16", &["2001:db8:1::/56"]);
    let status = |dice: &mut Dice| if dice.one_in(8) { "pending-acceptance" } else { "active" };
    let peerings = vec![
        json!({
            "VpcPeeringConnectionId": "pcx-1", "Status": {"Code": status(dice)},
            "RequesterVpcInfo": ours(), "AccepterVpcInfo": side("vpc-2", ACCOUNT, "10.1.0.0/16", &["2001:db8:2::/56"]),
        }),
        json!({
            "VpcPeeringConnectionId": "pcx-2", "Status": {"Code": status(dice)},
            "RequesterVpcInfo": side("vpc-9", STRANGER, "10.2.0.0/16", &[]), "AccepterVpcInfo": ours(),
        }),
    ];
    put(answers, "describe-vpc-peering-connections", "VpcPeeringConnections", peerings);
}

/// Attachments of `tgw-1`: id, kind, resource.
const ATTACHMENTS: &[(&str, &str, &str)] = &[
    ("tgw-attach-1", "vpc", "vpc-1"),
    ("tgw-attach-2", "vpc", "vpc-2"),
    ("tgw-attach-3", "vpn", "vpn-2"),
    ("tgw-attach-4", "direct-connect-gateway", "dxgw-1"),
    ("tgw-attach-5", "peering", "tgw-9"),
    ("tgw-attach-6", "vpc", "vpc-8"),
];

pub fn transit(dice: &mut Dice, answers: &mut Answers) {
    let support = |dice: &mut Dice| *dice.pick(&["enable", "enable", "disable"]);
    let gateway = json!({
        "TransitGatewayId": "tgw-1", "OwnerId": ACCOUNT, "State": "available",
        "TransitGatewayArn": format!("arn:aws:ec2:{REGION}:{ACCOUNT}:transit-gateway/tgw-1"),
        "Options": {"SecurityGroupReferencingSupport": support(dice)},
    });
    put(answers, "describe-transit-gateways", "TransitGateways", vec![gateway]);
    let mut attachments = Vec::new();
    let mut details = Vec::new();
    let mut associated: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    for (id, kind, resource) in ATTACHMENTS {
        let owner = if *resource == "vpc-8" { STRANGER } else { ACCOUNT };
        let state = if dice.one_in(12) { "deleting" } else { "available" };
        let mut attachment = json!({
            "TransitGatewayAttachmentId": id, "TransitGatewayId": "tgw-1", "TransitGatewayOwnerId": ACCOUNT,
            "ResourceType": kind, "ResourceId": resource, "ResourceOwnerId": owner, "State": state,
        });
        if !dice.one_in(8) {
            let table = dice.below(2);
            let table_id = format!("tgw-rtb-{}", table + 1);
            attachment["Association"] = json!({"TransitGatewayRouteTableId": table_id, "State": "associated"});
            associated[table].push(json!({
                "TransitGatewayAttachmentId": id, "ResourceType": kind, "ResourceId": resource, "State": "associated",
            }));
        }
        attachments.push(attachment);
        let subnets: &[&str] = match *resource {
            "vpc-1" => &["subnet-1", "subnet-2", "subnet-f"],
            "vpc-2" => &["subnet-3", "subnet-4"],
            _ => continue,
        };
        // One subnet a zone, as AWS wants it.
        let mut subnets = dice.some(subnets);
        if subnets.contains(&"subnet-1") {
            subnets.retain(|subnet| *subnet != "subnet-f");
        }
        details.push(json!({
            "TransitGatewayAttachmentId": id, "TransitGatewayId": "tgw-1", "VpcId": resource, "VpcOwnerId": owner,
            "State": state, "SubnetIds": subnets, "Options": {"SecurityGroupReferencingSupport": support(dice)},
        }));
    }
    put(answers, "describe-transit-gateway-attachments", "TransitGatewayAttachments", attachments);
    put(answers, "describe-transit-gateway-vpc-attachments", "TransitGatewayVpcAttachments", details);
    let table = |id: &str| json!({"TransitGatewayRouteTableId": id, "TransitGatewayId": "tgw-1", "State": "available"});
    let tables = vec![table("tgw-rtb-1"), table("tgw-rtb-2")];
    put(answers, "describe-transit-gateway-route-tables", "TransitGatewayRouteTables", tables);
    for (id, associations) in ["tgw-rtb-1", "tgw-rtb-2"].into_iter().zip(associated) {
        let file = format!("get-transit-gateway-route-table-associations-{id}");
        put(answers, &file, "Associations", associations);
        let file = format!("get-transit-gateway-route-table-propagations-{id}");
        put(answers, &file, "TransitGatewayRouteTablePropagations", Vec::new());
        let routes = transit_routes(dice);
        let file = format!("search-transit-gateway-routes-{id}");
        answers.insert(file, json!({"Routes": routes, "AdditionalRoutesAvailable": false}));
    }
}

/// Routes that make sense, and some that come as they come: one static and one propagated of a destination at most.
fn transit_routes(dice: &mut Dice) -> Vec<Value> {
    let route = |block: &str, attachment: Option<usize>, kind: &str| {
        let mut route = json!({"DestinationCidrBlock": block, "Type": kind});
        route["State"] = json!(if attachment.is_some() { "active" } else { "blackhole" });
        if let Some((id, kind, resource)) = attachment.map(|index| ATTACHMENTS[index]) {
            let attachment = json!({"TransitGatewayAttachmentId": id, "ResourceType": kind, "ResourceId": resource});
            route["TransitGatewayAttachments"] = json!([attachment]);
        }
        route
    };
    let useful = [
        ("10.0.0.0/16", 0),
        ("2001:db8:1::/56", 0),
        ("10.1.0.0/16", 1),
        ("2001:db8:2::/56", 1),
        ("172.16.0.0/12", 2),
        ("192.168.0.0/16", 3),
        ("0.0.0.0/0", 4),
    ];
    let mut routes = Vec::new();
    for (block, attachment) in useful {
        if !dice.one_in(4) {
            routes.push(route(block, Some(attachment), "propagated"));
        }
    }
    let mut taken: Vec<&str> = Vec::new();
    for _ in 0..dice.below(4) {
        let block = *dice.pick(BLOCKS);
        if !taken.contains(&block) {
            taken.push(block);
            let attachment = dice.below(ATTACHMENTS.len() + 2);
            routes.push(route(block, (attachment < ATTACHMENTS.len()).then_some(attachment), "static"));
        }
    }
    routes
}

pub fn premises(dice: &mut Dice, answers: &mut Answers) {
    let state = if dice.one_in(8) { "detached" } else { "attached" };
    let gateway = json!({
        "VpnGatewayId": "vgw-1", "State": "available", "VpcAttachments": [{"State": state, "VpcId": "vpc-1"}],
    });
    put(answers, "describe-vpn-gateways", "VpnGateways", vec![gateway]);
    let customer = json!({"CustomerGatewayId": "cgw-1", "State": "available", "IpAddress": "198.51.100.1"});
    put(answers, "describe-customer-gateways", "CustomerGateways", vec![customer]);
    let is_static = dice.one_in(2);
    let routes = if is_static { dice.some(&["192.168.0.0/16", "172.16.0.0/12", "203.0.113.0/25"]) } else { Vec::new() };
    let routes: Vec<Value> =
        routes.into_iter().map(|block| json!({"DestinationCidrBlock": block, "State": "available"})).collect();
    let mut connections = vec![json!({
        "VpnConnectionId": "vpn-2", "TransitGatewayId": "tgw-1", "CustomerGatewayId": "cgw-1", "State": "available",
        "Options": {"StaticRoutesOnly": false}, "Routes": [],
    })];
    if !dice.one_in(4) {
        connections.push(json!({
            "VpnConnectionId": "vpn-1", "VpnGatewayId": "vgw-1", "CustomerGatewayId": "cgw-1",
            "State": if dice.one_in(8) { "deleted" } else { "available" },
            "Options": {"StaticRoutesOnly": is_static}, "Routes": routes,
        }));
    }
    put(answers, "describe-vpn-connections", "VpnConnections", connections);
    let mut lines = Vec::new();
    if dice.one_in(2) {
        lines.push(json!({
            "virtualInterfaceId": "dxvif-1", "virtualInterfaceType": "private", "virtualInterfaceState": "available",
            "virtualGatewayId": "vgw-1", "ownerAccount": ACCOUNT,
        }));
    }
    put(answers, "describe-virtual-interfaces", "virtualInterfaces", lines);
    let gateway = json!({
        "directConnectGatewayId": "dxgw-1", "ownerAccount": ACCOUNT, "directConnectGatewayState": "available",
    });
    put(answers, "describe-direct-connect-gateways", "directConnectGateways", vec![gateway]);
}
