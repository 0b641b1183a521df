"""A small network as a folder of what the AWS CLI prints: a web server open to the world, a database behind it."""

import json
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "111122223333", "eu-central-1"


def interface(number: int, group: str, public: str | None = None) -> dict[str, Any]:
    """Of an instance with the same number, in the one subnet."""
    address: dict[str, Any] = {"PrivateIpAddress": f"10.0.0.{number}", "Primary": True}
    if public:
        address["Association"] = {"PublicIp": public, "IpOwnerId": "amazon"}
    return {
        "NetworkInterfaceId": f"eni-{number}",
        "SubnetId": "subnet-1",
        "VpcId": "vpc-1",
        "OwnerId": ACCOUNT,
        "AvailabilityZone": f"{REGION}a",
        "InterfaceType": "interface",
        "Status": "in-use",
        "PrivateIpAddress": f"10.0.0.{number}",
        "PrivateIpAddresses": [address],
        "Ipv6Addresses": [],
        "Groups": [{"GroupId": group, "GroupName": group}],
        "Attachment": {"InstanceId": f"i-{number}", "Status": "attached"},
    }


def rule(port: int, **peer: Any) -> dict[str, Any]:
    """An ingress rule for one TCP port."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [], "Ipv6Ranges": []} | peer


WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def acl_entry(number: int, action: str, egress: bool) -> dict[str, Any]:
    """A network ACL's rule for every IPv4 packet."""
    return {"Egress": egress, "RuleNumber": number, "Protocol": "-1", "RuleAction": action, "CidrBlock": "0.0.0.0/0"}


def answers() -> dict[str, Any]:
    """Every answer by its file's name."""
    entries = [acl_entry(*entry) for entry in [(100, "allow", False), (100, "allow", True), (32767, "deny", False)]]
    routes = [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable"},
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active", "Origin": "CreateRoute"},
    ]
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes, "Associations": [{"Main": True}]}
    web = [rule(443, **WORLD), rule(80, **WORLD), rule(81, **WORLD)]
    out = [{"IpProtocol": "-1"} | WORLD]  # what every new group has
    database = [rule(5432, UserIdGroupPairs=[{"GroupId": "sg-web", "UserId": ACCOUNT}])]
    return {
        "describe-vpcs.json": {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": ACCOUNT}]},
        "describe-subnets.json": {
            "Subnets": [
                {
                    "SubnetId": "subnet-1",
                    "VpcId": "vpc-1",
                    "CidrBlock": "10.0.0.0/24",
                    "AvailabilityZone": f"{REGION}a",
                    "OwnerId": ACCOUNT,
                }
            ]
        },
        "describe-internet-gateways.json": {
            "InternetGateways": [
                {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}
            ]
        },
        "describe-route-tables.json": {"RouteTables": [table]},
        "describe-network-acls.json": {
            "NetworkAcls": [
                {
                    "NetworkAclId": "acl-1",
                    "VpcId": "vpc-1",
                    "IsDefault": True,
                    "Entries": entries,
                    "Associations": [{"SubnetId": "subnet-1"}],
                }
            ]
        },
        "describe-security-groups.json": {
            "SecurityGroups": [
                {"GroupId": group, "GroupName": group, "VpcId": "vpc-1", "IpPermissions": into, "IpPermissionsEgress": out}
                for group, into in [("sg-web", web), ("sg-db", database)]
            ]
        },
        "describe-network-interfaces.json": {
            "NetworkInterfaces": [interface(4, "sg-web", "198.51.100.4"), interface(5, "sg-db")]
        },
    }


def write(folder: Path, files: dict[str, Any]) -> Path:
    """The folder with these files: text as it is, everything else as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=4)
        (folder / name).write_text(text)
    return folder
