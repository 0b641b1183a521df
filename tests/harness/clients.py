"""Clients of the gateway: Amazon's own for Inspector, and one for gRPC made of what reflection tells."""

import subprocess
import sys
from pathlib import Path

import boto3
import grpc
from botocore import UNSIGNED
from botocore.config import Config
from demo.fleet import REGION
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from harness.processes import clean_environment


def inspector(address: str, key_id: str | None = "any", secret: str = "any"):
    """boto3's own client; without a key it does not sign."""
    return boto3.client(
        "inspector2",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, signature_version=None if key_id else UNSIGNED),
    )


class Questions:
    """A gRPC client made of nothing but what the server's reflection tells."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.channel = grpc.insecure_channel(address.removeprefix("http://"))
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        intercepted = grpc.intercept_channel(self.channel, _Token(self.metadata))
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(intercepted))

    def ask(self, service: str, method: str, **fields: object):
        described = self.pool.FindServiceByName(service).methods_by_name[method]
        request, answer = GetMessageClass(described.input_type), GetMessageClass(described.output_type)
        call = self.channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request(**fields), timeout=20, metadata=self.metadata)


class _Token(grpc.StreamStreamClientInterceptor):
    """Brings the token to the reflection stream too."""

    def __init__(self, metadata: list[tuple[str, str]]) -> None:
        self.metadata = metadata

    def intercept_stream_stream(self, continuation, details, requests):
        return continuation(details._replace(metadata=self.metadata), requests)


def aws(address: str, *arguments: str, key_id: str = "any", secret: str = "any") -> subprocess.CompletedProcess[str]:
    """`aws inspector2 …`, Amazon's own command line."""
    program = Path(sys.executable).parent / "aws"
    assert program.exists(), "the AWS command line is missing: it is in demo/requirements.txt"
    command = [str(program), "inspector2", *arguments, "--endpoint-url", address, "--region", REGION]
    keys = {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_MAX_ATTEMPTS": "1"}
    environment = clean_environment() | keys | {"NO_PROXY": "127.0.0.1", "AWS_PAGER": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
