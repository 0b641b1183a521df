"""A network of two accounts with everything that leads into one, and its description as a folder of answers."""

import json
from dataclasses import dataclass
from pathlib import Path

from demo.accounts import Accounts
from demo.fleet import MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT, create_function, permission, unless_there, zip_of

#: A region that nothing else of the demo is in.
REGION = "eu-north-1"
ACCOUNTS = (MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT)

#: (file name, service, call) of what is described as a whole.
WHOLE = [
    ("describe-vpcs", "ec2", "describe_vpcs"),
    ("describe-subnets", "ec2", "describe_subnets"),
    ("describe-internet-gateways", "ec2", "describe_internet_gateways"),
    ("describe-egress-only-internet-gateways", "ec2", "describe_egress_only_internet_gateways"),
    ("describe-nat-gateways", "ec2", "describe_nat_gateways"),
    ("describe-route-tables", "ec2", "describe_route_tables"),
    ("describe-network-acls", "ec2", "describe_network_acls"),
    ("describe-security-groups", "ec2", "describe_security_groups"),
    ("describe-network-interfaces", "ec2", "describe_network_interfaces"),
    ("describe-instances", "ec2", "describe_instances"),
    ("describe-managed-prefix-lists", "ec2", "describe_managed_prefix_lists"),
    ("describe-vpc-peering-connections", "ec2", "describe_vpc_peering_connections"),
    ("describe-transit-gateways", "ec2", "describe_transit_gateways"),
    ("describe-transit-gateway-attachments", "ec2", "describe_transit_gateway_attachments"),
    ("describe-transit-gateway-vpc-attachments", "ec2", "describe_transit_gateway_vpc_attachments"),
    ("describe-transit-gateway-route-tables", "ec2", "describe_transit_gateway_route_tables"),
    ("describe-vpn-gateways", "ec2", "describe_vpn_gateways"),
    ("describe-vpn-connections", "ec2", "describe_vpn_connections"),
    ("describe-customer-gateways", "ec2", "describe_customer_gateways"),
    ("describe-vpc-endpoints", "ec2", "describe_vpc_endpoints"),
    ("describe-load-balancers", "elbv2", "describe_load_balancers"),
    ("describe-target-groups", "elbv2", "describe_target_groups"),
    ("list-functions", "lambda", "list_functions"),
    ("describe-direct-connect-gateways", "directconnect", "describe_direct_connect_gateways"),
    ("describe-virtual-interfaces", "directconnect", "describe_virtual_interfaces"),
]


@dataclass
class Network:
    """The names that AWS gave."""

    web: str
    database: str
    remote: str
    function: str


def build(accounts: Accounts) -> Network:
    """A VPC with a way to the internet, peered with one of the other account, and a third one behind a transit
    gateway; a load balancer before the private instance; a function with an open URL."""
    for account in ACCOUNTS:
        accounts.client("securityhub", account, REGION).enable_security_hub()
    ec2 = accounts.client("ec2", MANAGEMENT_ACCOUNT, REGION)
    other = accounts.client("ec2", MEMBER_ACCOUNT, REGION)
    shop, shop_table = vpc(ec2, "10.40.0.0/16")
    public, second = subnet(ec2, shop, "10.40.1.0/24", "a"), subnet(ec2, shop, "10.40.2.0/24", "b")
    private = subnet(ec2, shop, "10.40.3.0/24", "a")
    back_office, back_office_table = vpc(ec2, "10.60.0.0/16")
    back_office_subnet = subnet(ec2, back_office, "10.60.1.0/24", "a")
    partner, partner_table = vpc(other, "10.50.0.0/16")
    partner_subnet = subnet(other, partner, "10.50.1.0/24", "a")

    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=shop)
    outside = ec2.create_route_table(VpcId=shop)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=outside, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for place in (public, second):
        ec2.associate_route_table(RouteTableId=outside, SubnetId=place)

    peering = ec2.create_vpc_peering_connection(VpcId=shop, PeerVpcId=partner, PeerOwnerId=MEMBER_ACCOUNT)
    peering = peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    for client, table, block in ((ec2, shop_table, "10.50.0.0/16"), (other, partner_table, "10.40.0.0/16")):
        client.create_route(RouteTableId=table, DestinationCidrBlock=block, VpcPeeringConnectionId=peering)

    members = [
        (shop, [private], shop_table, "10.60.0.0/16"),
        (back_office, [back_office_subnet], back_office_table, "10.40.0.0/16"),
    ]
    transit(ec2, members)

    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [shop]}])["NetworkAcls"]
    ec2.create_network_acl_entry(
        NetworkAclId=acls[0]["NetworkAclId"],
        RuleNumber=90,
        Protocol="6",
        RuleAction="deny",
        Egress=False,
        CidrBlock="198.51.100.0/24",
        PortRange={"From": 22, "To": 22},
    )
    office = ec2.create_managed_prefix_list(
        PrefixListName="office", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": "203.0.113.0/24"}]
    )["PrefixList"]["PrefixListId"]
    everyone = {"CidrIp": "0.0.0.0/0"}
    ssh = group(ec2, shop, "ssh", [permission(22, everyone)])
    ec2.authorize_security_group_ingress(
        GroupId=ssh,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "PrefixListIds": [{"PrefixListId": office}]}
        ],
    )
    entrance = group(ec2, shop, "entrance", [permission(80, everyone)])
    inside = group(
        ec2, shop, "inside", [permission(5432, {"CidrIp": "10.50.0.0/16"}), permission(22, {"CidrIp": "10.60.0.0/16"})]
    )
    pair = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": entrance}]}
    ec2.authorize_security_group_ingress(GroupId=inside, IpPermissions=[pair])

    web = instance(ec2, public, ssh, is_public=True)
    database = instance(ec2, private, inside, is_public=False)
    partner_group = group(other, partner, "partner", [permission(443, {"CidrIp": "10.40.0.0/16"})])
    remote = instance(other, partner_subnet, partner_group, is_public=False)
    balancer(accounts, shop, [public, second], entrance, database)
    return Network(web, database, remote, function(accounts))


def vpc(ec2, block: str) -> tuple[str, str]:
    """A VPC and its main route table."""
    made = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [made]}])["RouteTables"]
    return made, tables[0]["RouteTableId"]


def subnet(ec2, vpc_id: str, block: str, zone: str) -> str:
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}")
    return made["Subnet"]["SubnetId"]


def group(ec2, vpc_id: str, name: str, permissions: list[dict]) -> str:
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=permissions)
    return made


def instance(ec2, subnet_id: str, group_id: str, is_public: bool) -> str:
    interface = {
        "DeviceIndex": 0,
        "SubnetId": subnet_id,
        "Groups": [group_id],
        "AssociatePublicIpAddress": is_public,
    }
    made = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, NetworkInterfaces=[interface])
    return made["Instances"][0]["InstanceId"]


def transit(ec2, members: list[tuple[str, list[str], str, str]]) -> None:
    """A transit gateway between VPCs (VPC, subnets, route table, block on the other side)."""
    alone = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
    gateway = ec2.create_transit_gateway(Options=alone)["TransitGateway"]["TransitGatewayId"]
    table = ec2.create_transit_gateway_route_table(TransitGatewayId=gateway)
    table = table["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    attachments = []
    for vpc_id, subnets, route_table, block in members:
        made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc_id, SubnetIds=subnets)
        attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        ec2.associate_transit_gateway_route_table(
            TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=attachment
        )
        ec2.create_route(RouteTableId=route_table, DestinationCidrBlock=block, TransitGatewayId=gateway)
        attachments.append(attachment)
    for attachment, (_, _, _, block) in zip(reversed(attachments), members, strict=True):
        ec2.create_transit_gateway_route(
            TransitGatewayRouteTableId=table, DestinationCidrBlock=block, TransitGatewayAttachmentId=attachment
        )


def balancer(accounts: Accounts, vpc_id: str, subnets: list[str], group_id: str, target: str) -> None:
    elb = accounts.client("elbv2", MANAGEMENT_ACCOUNT, REGION)
    made = elb.create_load_balancer(Name="shop", Subnets=subnets, SecurityGroups=[group_id])["LoadBalancers"][0]
    targets = elb.create_target_group(Name="shop", Protocol="HTTP", Port=8080, VpcId=vpc_id)["TargetGroups"][0]
    elb.register_targets(TargetGroupArn=targets["TargetGroupArn"], Targets=[{"Id": target, "Port": 8080}])
    elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets["TargetGroupArn"]}],
    )


def function(accounts: Accounts) -> str:
    """A function that everyone may call by its URL."""
    client = accounts.client("lambda", MANAGEMENT_ACCOUNT, REGION)
    code = zip_of({"handler.py": b"def handler(event, context):\n    return {}\n"})
    arn = create_function(client, MANAGEMENT_ACCOUNT, "hook", "python3.11", code, [])
    unless_there(client.create_function_url_config, FunctionName="hook", AuthType="NONE")
    unless_there(
        client.add_permission,
        FunctionName="hook",
        StatementId="everyone",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    return arn


def describe(accounts: Accounts, folder: Path) -> Path:
    """What the AWS command line would write into ACCOUNT/REGION/ of the folder, one file per call."""
    for account in ACCOUNTS:
        place = folder / account / REGION
        place.mkdir(parents=True)
        describe_one(accounts, account, place)
    return folder


def describe_one(accounts: Accounts, account: str, place: Path) -> None:
    answers = {}

    def ask(name: str, service: str, call: str, **arguments: object) -> dict:
        answer = getattr(accounts.client(service, account, REGION), call)(**arguments)
        answer.pop("ResponseMetadata")
        (place / f"{name}.json").write_text(json.dumps(answer, default=str, indent=1))
        answers[name] = answer
        return answer

    for name, service, call in WHOLE:
        ask(name, service, call)
    ask("describe-load-balancers-classic", "elb", "describe_load_balancers")
    for each in answers["describe-managed-prefix-lists"]["PrefixLists"]:
        identity = each["PrefixListId"]
        name = f"get-managed-prefix-list-entries-{identity}"
        ask(name, "ec2", "get_managed_prefix_list_entries", PrefixListId=identity)
    for each in answers["describe-transit-gateway-route-tables"]["TransitGatewayRouteTables"]:
        table = {"TransitGatewayRouteTableId": each["TransitGatewayRouteTableId"]}
        identity = each["TransitGatewayRouteTableId"]
        for kind in ("associations", "propagations"):
            call = f"get_transit_gateway_route_table_{kind}"
            ask(f"{call.replace('_', '-')}-{identity}", "ec2", call, **table)
        states = [{"Name": "state", "Values": ["active", "blackhole"]}]
        name = f"search-transit-gateway-routes-{identity}"
        ask(name, "ec2", "search_transit_gateway_routes", Filters=states, **table)
    describe_targets(answers, ask)
    for each in answers["list-functions"]["Functions"]:
        describe_function(each["FunctionName"], ask)


def describe_targets(answers: dict[str, dict], ask) -> None:
    """Files cannot have ARNs in their names: the names that people gave stand for them."""
    for each in answers["describe-load-balancers"]["LoadBalancers"]:
        name, arn = each["LoadBalancerName"], each["LoadBalancerArn"]
        listeners = ask(f"describe-listeners-{name}", "elbv2", "describe_listeners", LoadBalancerArn=arn)["Listeners"]
        for place, listener in enumerate(listeners):
            ask(f"describe-rules-{name}-{place}", "elbv2", "describe_rules", ListenerArn=listener["ListenerArn"])
    for each in answers["describe-target-groups"]["TargetGroups"]:
        name, arn = each["TargetGroupName"], each["TargetGroupArn"]
        ask(f"describe-target-health-{name}", "elbv2", "describe_target_health", TargetGroupArn=arn)
        ask(f"describe-target-group-attributes-{name}", "elbv2", "describe_target_group_attributes", TargetGroupArn=arn)


def describe_function(name: str, ask) -> None:
    ask(f"list-function-url-configs-{name}", "lambda", "list_function_url_configs", FunctionName=name)
    ask(f"get-policy-{name}", "lambda", "get_policy", FunctionName=name)
