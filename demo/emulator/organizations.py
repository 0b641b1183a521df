"""Organizations: CreateAccount gives out known account ids, so that every demo has the same two accounts."""

from moto.organizations import utils
from moto.organizations.models import OrganizationsBackend

from demo.emulator import Options


def install(options: Options) -> None:
    moto_create_account = OrganizationsBackend.create_account
    random_id = utils.make_random_account_id

    def create_account(self, **named) -> dict:
        taken = {account.id for account in self.accounts}
        free = [account for account in options.account_ids if account not in taken]
        # moto asks for an id while it makes the account, and for those of other things at other times.
        utils.make_random_account_id = lambda: free[0] if free else random_id()
        try:
            return moto_create_account(self, **named)
        finally:
            utils.make_random_account_id = random_id

    OrganizationsBackend.create_account = create_account
