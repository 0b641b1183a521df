"""AWS on loopback: moto, with the gaps filled that matter to Muster.

Each module next to this one fills the gaps of one AWS service by assigning methods on moto's own classes;
`faults` stands in front of all of them. `serve` then runs moto's server. State lives in memory and ends with
the process; every account and region has its own, as in AWS.
"""

from dataclasses import dataclass, field

#: moto's own default account; it manages the demo's organization.
MANAGEMENT_ACCOUNT = "123456789012"
#: The account that Organizations CreateAccount gives out first.
MEMBER_ACCOUNT = "210987654321"
#: The only long-lived key that the emulator knows; it belongs to the management account.
ACCESS_KEY_ID = "AKIAMUSTERDEMO000001"
SECRET_ACCESS_KEY = "muster-demo-secret-access-key"
#: The role that Muster assumes in a member account.
ROLE_NAME = "MusterReadOnly"


@dataclass
class Options:
    """Where the emulator listens, and the image registry that stands for ECR's."""

    port: int
    registry: str = ""  # HOST:PORT, without TLS; empty: no registry
    registry_password: str = ""
    account_ids: list[str] = field(default_factory=lambda: [MEMBER_ACCOUNT])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def serve(options: Options) -> None:
    """Fills the gaps and serves until the process is told to stop."""
    import logging
    import os

    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    import moto.server

    from demo.emulator import ec2, ecr, events, faults, lambda_, network, organizations, securityhub, ssm, sts

    for service in (ec2, ecr, events, lambda_, network, organizations, securityhub, ssm, sts):
        service.install(options)
    faults.install(options)
    moto.server.main(["--host", "127.0.0.1", "--port", str(options.port)])
