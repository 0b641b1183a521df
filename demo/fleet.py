"""The demo fleet: two accounts with instances, images and functions that hold real software.

| where | what | why it is there |
|---|---|---|
| management, us-east-1 | instance `web` | the machine's own packages; port 22 can be reached from the internet |
| | instance `batch` | stopped, never updated since Debian 12.0; in a subnet without a gateway |
| | instance `legacy` | not managed by SSM; has a public address, but port 22 is open to the VPC only |
| | image `shop/web` | Debian, Python and npm packages in layers; tags 1.0, 1.1 and `latest`, an index of two platforms |
| | function `orders-api` | Python packages in its zip and in a layer |
| | function `thumbnails` | npm packages in its zip |
| member, us-east-1 | instance `ledger` | a small Debian as it is today |
| member, eu-central-1 | function `billing-report` | newer Python packages, some of them fixed |

Everything is found by its name before it is made, so that creating the fleet twice changes nothing.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from demo import inventory, oci
from demo.accounts import Accounts
from demo.emulator import MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT, ROLE_NAME
from demo.software import Software

REGION = "us-east-1"
SECOND_REGION = "eu-central-1"
ACCOUNTS = (MANAGEMENT_ACCOUNT, MEMBER_ACCOUNT)
REGIONS = (REGION, SECOND_REGION)
#: The source of Muster's events on EventBridge, and the queue that takes them.
EVENT_SOURCE = "muster"
QUEUE = "muster-events"
REPOSITORY = "shop/web"

DEBIAN_12_0 = Path(__file__).resolve().parent / "inventories/debian-12.0.json"
SITE_PACKAGES = "usr/local/lib/python3.11/site-packages"
IMAGE_PYTHON = (
    "requests==2.19.1 urllib3==1.24.1 jinja2==2.10 pillow==9.5.0 certifi==2022.6.15 idna==2.7 chardet==3.0.4 "
    "markupsafe==2.1.2 flask==0.12.2 werkzeug==0.15.2"
).split()
IMAGE_NPM = {"jquery": "3.4.1", "node-fetch": "2.6.0", "ansi-regex": "3.0.0", "lodash": "4.17.4"}
ORDERS_PYTHON = "requests==2.19.1 urllib3==1.24.1 certifi==2022.6.15 idna==2.7 chardet==3.0.4".split()
LAYER_PYTHON = "jinja2==2.10 markupsafe==2.1.2 werkzeug==0.15.2".split()
THUMBNAILS_NPM = {"lodash": "4.17.4", "minimist": "0.0.8"}
BILLING_PYTHON = "requests==2.31.0 urllib3==1.26.17 certifi==2023.7.22 idna==3.7".split()


@dataclass
class Fleet:
    """The names that AWS gave."""

    endpoint: str
    instances: dict[str, str] = field(default_factory=dict)  # name -> i-…
    security_groups: dict[str, str] = field(default_factory=dict)  # name -> sg-…
    images: dict[str, str] = field(default_factory=dict)  # 1.0, 1.1, arm64, index -> sha256:…
    functions: dict[str, str] = field(default_factory=dict)  # name -> ARN without version

    def resource_id(self, name: str) -> str:
        """Inspector's resource id of an instance, a function, or an image by tag or architecture."""
        if name in self.instances:
            return self.instances[name]
        if name in self.functions:
            return f"{self.functions[name]}:$LATEST"
        return f"arn:aws:ecr:{REGION}:{MANAGEMENT_ACCOUNT}:repository/{REPOSITORY}/{self.images[name]}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


class Builder:
    """Makes the fleet in the emulator at `accounts`."""

    def __init__(
        self, accounts: Accounts, software: Software, registry: oci.Registry, say: Callable[[str], None]
    ) -> None:
        self.accounts = accounts
        self.software = software
        self.registry = registry
        self.say = say
        self.fleet = Fleet(accounts.endpoint)

    def build(self) -> Fleet:
        self.say("making two accounts")
        self.organization()
        self.sinks()
        self.say("making instances and their network")
        self.management_network()
        self.ledger()
        self.say("making images")
        self.images()
        self.say("making functions")
        self.functions()
        return self.fleet

    def organization(self) -> None:
        client = self.accounts.client("organizations", MANAGEMENT_ACCOUNT, REGION)
        unless_there(client.create_organization, FeatureSet="ALL")
        if MEMBER_ACCOUNT not in [account["Id"] for account in client.list_accounts()["Accounts"]]:
            client.create_account(Email="member@example.com", AccountName="member")
        trust = {
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": MANAGEMENT_ACCOUNT}, "Action": "sts:AssumeRole"}]
        }
        for account, name in ((MEMBER_ACCOUNT, ROLE_NAME), (MANAGEMENT_ACCOUNT, "lambda"), (MEMBER_ACCOUNT, "lambda")):
            iam = self.accounts.client("iam", account, REGION)
            unless_there(iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def sinks(self) -> None:
        """Security Hub and a queue behind EventBridge, in each account and region."""
        for account in ACCOUNTS:
            for region in REGIONS:
                self.accounts.client("securityhub", account, region).enable_security_hub()
                sqs = self.accounts.client("sqs", account, region)
                url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
                arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
                events = self.accounts.client("events", account, region)
                events.put_rule(Name=QUEUE, EventPattern=json.dumps({"source": [EVENT_SOURCE]}))
                events.put_targets(Rule=QUEUE, Targets=[{"Id": "queue", "Arn": arn}])

    def management_network(self) -> None:
        ec2 = self.accounts.client("ec2", MANAGEMENT_ACCOUNT, REGION)
        vpc = network(ec2, "shop", "10.20.0.0/16")
        public, private = subnet(ec2, vpc, "public", "10.20.1.0/24"), subnet(ec2, vpc, "private", "10.20.2.0/24")
        gateway_route(ec2, vpc, public)
        everywhere, inside = {"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.20.0.0/16"}
        open_group = security_group(ec2, vpc, "web", [(22, everywhere), (443, everywhere)])
        inner_group = security_group(ec2, vpc, "inside", [(22, inside), (5432, inside)])
        self.fleet.security_groups |= {"web": open_group, "inside": inner_group}

        web = instance(ec2, "web", public, open_group, public_address=True)
        batch = instance(ec2, "batch", private, inner_group, public_address=False)
        legacy = instance(ec2, "legacy", public, inner_group, public_address=True)
        ec2.stop_instances(InstanceIds=[batch])
        self.fleet.instances |= {"web": web, "batch": batch, "legacy": legacy}
        self.manage(MANAGEMENT_ACCOUNT, web, "Online", inventory.of_machine())
        self.manage(MANAGEMENT_ACCOUNT, batch, "ConnectionLost", inventory.of_list(DEBIAN_12_0))

    def ledger(self) -> None:
        ec2 = self.accounts.client("ec2", MEMBER_ACCOUNT, REGION)
        vpc = network(ec2, "finance", "10.30.0.0/16")
        private = subnet(ec2, vpc, "private", "10.30.1.0/24")
        group = security_group(ec2, vpc, "finance", [(22, {"CidrIp": "10.30.0.0/16"})])
        ledger = instance(ec2, "ledger", private, group, public_address=False)
        self.fleet.instances["ledger"] = ledger
        self.manage(MEMBER_ACCOUNT, ledger, "Online", inventory.of_root(self.software.debian_root("amd64")))

    def manage(self, account: str, instance_id: str, ping_status: str, entries: list[inventory.Entry]) -> None:
        """The instance's agent calls in and sends what is installed."""
        system = next(entry for entry in entries if entry["Manager"] == "os-release")
        information = {
            "PingStatus": ping_status,
            "PlatformType": "Linux",
            "PlatformName": "Debian GNU/Linux" if system["Name"] == "debian" else system["Name"],
            "PlatformVersion": system["Version"],
        }
        body = {"account": account, "region": REGION, "instance": instance_id, "information": information}
        self.accounts.post("ssm/instances", body)
        put_inventory(self.accounts, account, instance_id, entries)

    def images(self) -> None:
        debian, debian_diff = oci.layer_blob(oci.Layer({"": self.software.debian_root("amd64")}))
        python = self.software.python("image", IMAGE_PYTHON)
        packages, packages_diff = oci.layer_blob(oci.Layer({SITE_PACKAGES: python}))
        node, node_diff = oci.layer_blob(oci.Layer({"app": self.software.npm("shop-web", IMAGE_NPM)}))
        # Werkzeug is taken out again, as `pip uninstall` in a later step of a Dockerfile does.
        gone = [f"{SITE_PACKAGES}/werkzeug", f"{SITE_PACKAGES}/Werkzeug-0.15.2.dist-info"]
        removed, removed_diff = oci.layer_blob(oci.Layer(remove=gone, opaque=["var/cache/apt"]))
        # 1.1 brings a newer Jinja2 over the old one.
        newer = self.software.python("image-1.1", ["jinja2==3.1.6"])
        old = [f"{SITE_PACKAGES}/Jinja2-2.10.dist-info"]
        upgraded, upgraded_diff = oci.layer_blob(
            oci.Layer({SITE_PACKAGES: newer}, remove=old, opaque=[f"{SITE_PACKAGES}/jinja2"])
        )
        layers, diffs = [debian, packages, node, removed], [debian_diff, packages_diff, node_diff, removed_diff]
        first = oci.image("amd64", layers, diffs)
        second = oci.image("amd64", [*layers, upgraded], [*diffs, upgraded_diff])

        arm_root, arm_diff = oci.layer_blob(oci.Layer({"": self.software.debian_root("arm64")}))
        arm_python = self.software.python("image-arm64", ["requests==2.31.0", "urllib3==1.26.17"])
        arm_packages, arm_packages_diff = oci.layer_blob(oci.Layer({SITE_PACKAGES: arm_python}))
        arm = oci.image("arm64", [arm_root, arm_packages], [arm_diff, arm_packages_diff])

        self.push(first, ["1.0"])
        self.push(second, ["1.1"])
        self.push(arm, [])
        both = oci.index([second, arm])
        self.registry.push_manifest(REPOSITORY, both, ["latest"])
        self.put_image(both, ["latest"])
        digests = {"1.0": first.digest, "1.1": second.digest, "arm64": arm.digest, "index": both.digest}
        self.fleet.images |= digests

    def push(self, image: oci.Image, tags: list[str]) -> None:
        self.registry.push(REPOSITORY, image, tags)
        self.put_image(image.manifest, tags)

    def put_image(self, manifest: oci.Blob, tags: list[str]) -> None:
        ecr = self.accounts.client("ecr", MANAGEMENT_ACCOUNT, REGION)
        unless_there(ecr.create_repository, repositoryName=REPOSITORY)
        put_image(ecr, REPOSITORY, manifest, tags)

    def functions(self) -> None:
        client = self.accounts.client("lambda", MANAGEMENT_ACCOUNT, REGION)
        handler = {"handler.py": b"def handler(event, context):\n    return {'statusCode': 200}\n"}
        orders = zip_of(files_of(self.software.python("orders-api", ORDERS_PYTHON)), handler)
        shared = self.software.python("shared-layer", LAYER_PYTHON)
        layer = layer_version(client, "shared-python", zip_of(files_of(shared, "python/lib/python3.11/site-packages")))
        self.function(MANAGEMENT_ACCOUNT, REGION, "orders-api", "python3.11", orders, [layer])
        index = {"index.js": b"exports.handler = async () => ({ statusCode: 200 });\n"}
        thumbnails = zip_of(files_of(self.software.npm("thumbnails", THUMBNAILS_NPM)), index)
        self.function(MANAGEMENT_ACCOUNT, REGION, "thumbnails", "nodejs20.x", thumbnails, [])
        billing = zip_of(files_of(self.software.python("billing-report", BILLING_PYTHON)), handler)
        self.function(MEMBER_ACCOUNT, SECOND_REGION, "billing-report", "python3.11", billing, [])

    def function(self, account: str, region: str, name: str, runtime: str, code: bytes, layers: list[str]) -> None:
        client = self.accounts.client("lambda", account, region)
        self.fleet.functions[name] = create_function(client, account, name, runtime, code, layers)


def unless_there(make: Callable, **arguments: object) -> None:
    """Makes something that has a name; that it is there already is as good."""
    try:
        make(**arguments)
    except ClientError as error:
        if "Already" not in error.response["Error"]["Code"]:
            raise


def named(ec2, call: str, key: str, name: str, vpc: str | None = None) -> dict | None:
    """The first thing of a kind with this name."""
    filters = [{"Name": "tag:Name", "Values": [name]}] + ([{"Name": "vpc-id", "Values": [vpc]}] if vpc else [])
    found = getattr(ec2, call)(Filters=filters)[key]
    return found[0] if found else None


def name_tag(kind: str, name: str) -> list[dict]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def network(ec2, name: str, block: str) -> str:
    found = named(ec2, "describe_vpcs", "Vpcs", name)
    return (found or ec2.create_vpc(CidrBlock=block, TagSpecifications=name_tag("vpc", name))["Vpc"])["VpcId"]


def subnet(ec2, vpc: str, name: str, block: str) -> str:
    found = named(ec2, "describe_subnets", "Subnets", name, vpc)
    made = found or ec2.create_subnet(VpcId=vpc, CidrBlock=block, TagSpecifications=name_tag("subnet", name))["Subnet"]
    return made["SubnetId"]


def gateway_route(ec2, vpc: str, public_subnet: str) -> None:
    """An internet gateway, and a route to it for the public subnet."""
    if named(ec2, "describe_internet_gateways", "InternetGateways", "shop"):
        return
    tags = name_tag("internet-gateway", "shop")
    gateway = ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=public_subnet)


def security_group(ec2, vpc: str, name: str, ports: list[tuple[int, dict]]) -> str:
    wanted = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    found = ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]
    if found:
        return found[0]["GroupId"]
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[permission(port, source) for port, source in ports]
    )
    return group


def permission(port: int, source: dict) -> dict:
    """One TCP port for one range of sources."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [source]}


def instance(ec2, name: str, subnet_id: str, group: str, public_address: bool) -> str:
    found = named(ec2, "describe_instances", "Reservations", name)
    if found:
        return found["Instances"][0]["InstanceId"]
    interface = {
        "DeviceIndex": 0,
        "SubnetId": subnet_id,
        "Groups": [group],
        "AssociatePublicIpAddress": public_address,
    }
    made = ec2.run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[interface],
        TagSpecifications=name_tag("instance", name),
    )
    return made["Instances"][0]["InstanceId"]


def put_inventory(accounts: Accounts, account: str, instance_id: str, entries: list[inventory.Entry]) -> None:
    """What the agent of an instance sends, one type after the other (together they could be too much for one call)."""
    ssm = accounts.client("ssm", account, REGION)
    for item in (
        inventory.item(inventory.APPLICATION_TYPE, "1.1", inventory.applications(entries)),
        inventory.item(inventory.PACKAGES_TYPE, "1.0", entries),
    ):
        ssm.put_inventory(InstanceId=instance_id, Items=[item])


def put_image(ecr, repository: str, manifest: oci.Blob, tags: list[str]) -> None:
    """Tells ECR of a manifest that was pushed."""
    known = {
        i["imageDigest"]: i.get("imageTags", []) for i in ecr.describe_images(repositoryName=repository)["imageDetails"]
    }
    body = {
        "repositoryName": repository,
        "imageManifest": manifest.content.decode(),
        "imageManifestMediaType": manifest.media_type,
    }
    if manifest.digest not in known and not tags:
        ecr.put_image(**body)
    for tag in tags:
        if tag not in known.get(manifest.digest, []):
            ecr.put_image(**body, imageTag=tag)


def layer_version(client, name: str, code: bytes) -> str:
    """The newest version of a layer; a new one if there is none."""
    versions = client.list_layer_versions(LayerName=name)["LayerVersions"]
    return (versions or [client.publish_layer_version(LayerName=name, Content={"ZipFile": code})])[0]["LayerVersionArn"]


def create_function(client, account: str, name: str, runtime: str, code: bytes, layers: list[str]) -> str:
    """The ARN of the function, which is made if it is not there."""
    role = f"arn:aws:iam::{account}:role/lambda"
    handler = "handler.handler" if runtime.startswith("python") else "index.handler"
    try:
        return client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    except client.exceptions.ResourceNotFoundException:
        made = client.create_function(
            FunctionName=name, Runtime=runtime, Role=role, Handler=handler, Code={"ZipFile": code}, Layers=layers
        )
        return made["FunctionArn"]


def files_of(folder: Path, prefix: str = "") -> dict[str, bytes]:
    """Every file below a folder, by its path in the zip."""
    place = f"{prefix}/" if prefix else ""
    return {place + str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zip_of(*parts: dict[str, bytes]) -> bytes:
    """The same bytes for the same content, so that a function's digest stays from one demo to the next."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in sorted(merged(parts).items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def merged(parts: Iterable[dict[str, bytes]]) -> dict[str, bytes]:
    return {name: content for part in parts for name, content in part.items()}
