"""STS and keys: only the demo's own key and those that AssumeRole hands out are known, as in AWS.

A role of another account leads to that account's own state (moto does that); the fault switch `deny` with
`{"service": "sts", "action": "AssumeRole", "account": …}` refuses an account's roles.
"""

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import AccessKey, iam_backends

from demo.emulator import ACCESS_KEY_ID, MANAGEMENT_ACCOUNT, SECRET_ACCESS_KEY, Options


def install(_options: Options) -> None:
    assert DEFAULT_ACCOUNT_ID == MANAGEMENT_ACCOUNT, "moto's default account is the management account"
    register_demo_key()


def register_demo_key() -> None:
    """Again after every reset."""
    key = AccessKey(user_name=None, prefix="AKIA", account_id=MANAGEMENT_ACCOUNT)
    key.access_key_id = ACCESS_KEY_ID
    key.secret_access_key = SECRET_ACCESS_KEY
    iam_backends[MANAGEMENT_ACCOUNT]["aws"].access_keys[ACCESS_KEY_ID] = key


def account_of(access_key_id: str) -> str | None:
    """The account that a key belongs to, if the key is known."""
    for account_id, account in list(iam_backends.items()):
        if access_key_id in account["aws"].access_keys:
            return account_id
    return None
