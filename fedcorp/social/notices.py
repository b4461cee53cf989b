"""What a local group says to single people: direct messages of the group, which every client and server understands.

Who is told of what: the table in docs/groups.md. Says nothing to whoever did the thing, and never to groups.
"""

from collections.abc import Iterable

from fedcorp.errors import FedcorpError
from fedcorp.social import accounts, publishing
from fedcorp.social.accounts import Account
from fedcorp.social.publishing import Draft
from fedcorp.storage.database import Tx


def tell(tx: Tx, group: Account, account_ids: Iterable[int], words: str, *, reason: str = "") -> None:
    """Send `words` to each of these accounts, in a message of its own. Whoever cannot be reached is left out."""
    for account in accounts.find_many(tx, set(account_ids)).values():
        if account.kind != "person" or account.hidden:
            continue
        text = f"@{account.acct} {words}" + (f"\n\n{reason}" if reason else "")
        draft = Draft(text=text, visibility="direct", mentions={account.acct: account.id}, language="en")
        try:
            with tx.step():
                publishing.publish(tx, group, draft)
        except FedcorpError:  # its server is no peer any more: nobody there could be told
            continue
