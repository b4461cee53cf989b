"""Update and Delete of an actor, by the actor itself."""

from fedcorp.activitypub.documents import Activity, domain_of
from fedcorp.activitypub.handlers.parties import IGNORED, PROCESSED, embedded, sender
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.resolve import store_actor
from fedcorp.errors import Forbidden
from fedcorp.social import accounts
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import tombstones
from fedcorp.storage.upsert import insert_ignore


def verify_own_actor(tx: Tx, activity: Activity, intake: Intake) -> None:
    """An actor may speak of itself only. Raises Forbidden."""
    if activity.object_id != activity.actor:
        raise Forbidden("Only an actor itself may change or delete its profile.")


def receive_update_actor(tx: Tx, activity: Activity, intake: Intake) -> str:
    """A changed profile; an older one than ours changes nothing."""
    account = sender(tx, activity, intake)
    doc = embedded(activity, intake)
    if doc is None:
        return IGNORED
    name = doc.get("preferredUsername")
    own_name = isinstance(name, str) and account.domain == domain_of(account.uri)
    store_actor(tx, {**doc, "id": account.uri}, str(name) if own_name else account.username, account.domain)
    return PROCESSED


def receive_delete_actor(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An account is gone for good."""
    account = accounts.find_by_uri(tx, activity.actor)
    insert_ignore(tx, tombstones, uri=activity.actor, owner_uri=activity.actor, former_type="person", deleted_at=tx.ms)
    if account is None or account.local:
        return IGNORED
    if account.deleted_at is None:
        accounts.delete(tx, account)
    return PROCESSED
