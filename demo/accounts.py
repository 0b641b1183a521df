"""Clients for the two accounts of the demo's organization, and the emulator's own switches."""

import json
import urllib.request

import boto3
from botocore.config import Config

from demo.emulator import ACCESS_KEY_ID, MANAGEMENT_ACCOUNT, SECRET_ACCESS_KEY

#: The role that Organizations makes in every account it creates; the demo administers the member account with it.
ADMINISTRATOR = "OrganizationAccountAccessRole"


class Accounts:
    """boto3 clients by service, account and region; the member account's by an assumed role, as everybody's."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._sessions: dict[str, boto3.Session] = {}

    def client(self, service: str, account: str, region: str):
        return self._client(self._session(account), service, region)

    def _client(self, session: boto3.Session, service: str, region: str):
        # The environment's proxies and profiles are not for loopback.
        config = Config(proxies={}, connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 5})
        return session.client(service, region_name=region, endpoint_url=self.endpoint, config=config)

    def _session(self, account: str) -> boto3.Session:
        if account not in self._sessions:
            own = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
            if account != MANAGEMENT_ACCOUNT:
                sts = self._client(own, "sts", "us-east-1")
                role = f"arn:aws:iam::{account}:role/{ADMINISTRATOR}"
                answer = sts.assume_role(RoleArn=role, RoleSessionName="demo")["Credentials"]
                own = boto3.Session(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
            self._sessions[account] = own
        return self._sessions[account]

    def faults(self, **switches: object) -> None:
        """Replaces all fault switches of the emulator; none given: no faults."""
        self.post("faults", switches)

    def calls(self) -> dict[str, int]:
        """How often each `ACCOUNT REGION SERVICE ACTION` was called."""
        with urllib.request.urlopen(f"{self.endpoint}/muster/calls", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: object) -> None:
        request = urllib.request.Request(f"{self.endpoint}/muster/{path}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
