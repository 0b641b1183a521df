"""The network around EC2: load balancers get interfaces, routes of transit gateways are found page by page, and what
nobody made of Direct Connect is not there."""

import json

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.directconnect.responses import DirectConnectResponse
from moto.ec2.models import ec2_backends
from moto.ec2.models.transit_gateway_route_tables import TransitGatewayRouteTableBackend
from moto.ec2.utils import random_public_ip
from moto.elbv2.models import ELBv2Backend

from demo.emulator import Options

#: Calls about Direct Connect gateways and virtual interfaces, which the emulator has none of, and their lists.
DIRECT_CONNECT_LISTS = {
    "describe_direct_connect_gateways": "directConnectGateways",
    "describe_direct_connect_gateway_associations": "directConnectGatewayAssociations",
    "describe_direct_connect_gateway_attachments": "directConnectGatewayAttachments",
    "describe_virtual_interfaces": "virtualInterfaces",
}
#: How the descriptions of a load balancer's interfaces begin, by its type.
SHORT_TYPES = {"application": "app", "network": "net", "gateway": "gwy"}


def install(_options: Options) -> None:
    load_balancers()
    for call, name in DIRECT_CONNECT_LISTS.items():
        setattr(DirectConnectResponse, call, lambda _self, name=name: json.dumps({name: []}))
    TransitGatewayRouteTableBackend.search_transit_gateway_routes = search_transit_gateway_routes
    associations_of_tables()
    LambdaResponse.list_function_url_configs = list_function_url_configs
    path = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"
    lambda_urls.url_paths[path] = LambdaResponse.dispatch


def load_balancers() -> None:
    """A node in each subnet: an interface of the service's, with a public address when it faces the internet."""
    moto_create = ELBv2Backend.create_load_balancer

    def create_load_balancer(self, *arguments, **named):
        balancer = moto_create(self, *arguments, **named)
        balancer.scheme = balancer.scheme or "internet-facing"
        kind = SHORT_TYPES[balancer.type]
        # moto's ARNs are those of application load balancers; the part behind the name is the id.
        identity = balancer.arn.rsplit("/", 1)[-1]
        ec2 = ec2_backends[self.account_id][self.region_name]
        for subnet in balancer.subnets:
            node = ec2.create_network_interface(
                subnet,
                None,
                group_ids=list(balancer.security_groups or []),
                description=f"ELB {kind}/{balancer.name}/{identity}",
            )
            node.requester_managed, node.requester_id, node.status = True, "amazon-elb", "in-use"
            if balancer.type == "network":
                node.interface_type = "network_load_balancer"
            if balancer.scheme != "internal":
                node.public_ip = random_public_ip()
        return balancer

    ELBv2Backend.create_load_balancer = create_load_balancer


def associations_of_tables() -> None:
    """An attachment that was moved to another table is not in its first one any more, and says so itself."""
    backend = TransitGatewayRouteTableBackend
    moto_associate = backend.associate_transit_gateway_route_table
    moto_associations = backend.get_transit_gateway_route_table_associations

    def associate(self, transit_gateway_attachment_id, transit_gateway_route_table_id):
        made = moto_associate(self, transit_gateway_attachment_id, transit_gateway_route_table_id)
        attachment = self.transit_gateway_attachments[transit_gateway_attachment_id]
        attachment.transit_gateway_route_table = self.transit_gateways_route_tables[transit_gateway_route_table_id]
        return made

    def associations(self, transit_gateway_route_table_id, filters=None) -> list:
        listed = moto_associations(self, transit_gateway_route_table_id, filters)
        attachments = self.transit_gateway_attachments
        now = [attachments[one.transitGatewayAttachmentId].association or {} for one in listed]
        return [
            one
            for one, association in zip(listed, now, strict=True)
            if association.get("TransitGatewayRouteTableId") in transit_gateway_route_table_id
        ]

    backend.associate_transit_gateway_route_table = associate
    backend.get_transit_gateway_route_table_associations = associations


def search_transit_gateway_routes(self, transit_gateway_route_table_id, filters, max_results=None) -> list[dict]:
    """As moto finds them; a route's attachments are a list, as in AWS."""
    table = self.transit_gateways_route_tables.get(transit_gateway_route_table_id)
    if table is None:
        return []
    wanted = {"type": filters.get("type"), "state": filters.get("state")}
    found = []
    for route in table.routes.values():
        if any(values and route[name] not in values for name, values in wanted.items()):
            continue
        attachment = route.get("transitGatewayAttachments")
        found.append(route | {"transitGatewayAttachments": [attachment] if isinstance(attachment, dict) else []})
    return found[: int(max_results)] if max_results else found


def list_function_url_configs(self) -> str:
    """The URL of the function, when it has one."""
    name = self.path.rstrip("/").split("/")[-2]
    function = self.backend.get_function(name)
    configs = [function.url_config.to_dict()] if function.url_config else []
    return json.dumps({"FunctionUrlConfigs": configs})
