"""The sinks as a customer reads them: Security Hub, and a queue behind EventBridge."""

import json

from demo.accounts import Accounts
from demo.fleet import ACCOUNTS, QUEUE, REGION, REGIONS


class Sinks:
    """Both sinks of all accounts and regions."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def clear(self) -> None:
        """Forgets all findings and events, as if the accounts were new."""
        for account, region in places():
            hub = self.accounts.client("securityhub", account, region)
            hub.disable_security_hub()
            hub.enable_security_hub()
        self.events()  # SQS purges a queue once a minute only

    def hub(self, account: str | None = None, region: str = REGION, **equals: str) -> list[dict]:
        """Security Hub's findings of an account and region, or of all; `equals`: filter and value."""
        filters = {name: [{"Value": value, "Comparison": "EQUALS"}] for name, value in equals.items()}
        found = []
        for one_account, one_region in [(account, region)] if account else places():
            client = self.accounts.client("securityhub", one_account, one_region)
            for page in client.get_paginator("get_findings").paginate(Filters=filters):
                found += page["Findings"]
        return found

    def hub_states(self, arns: set[str]) -> dict[str, str]:
        """Finding ARN -> RecordState, of these findings."""
        return {finding["Id"]: finding["RecordState"] for finding in self.hub() if finding["Id"] in arns}

    def events(self) -> list[dict]:
        """All events of all queues, which are empty afterwards."""
        taken = []
        for account, region in places():
            sqs = self.accounts.client("sqs", account, region)
            url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    taken.append(json.loads(message["Body"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def places() -> list[tuple[str, str]]:
    return [(account, region) for account in ACCOUNTS for region in REGIONS]
