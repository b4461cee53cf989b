"""Update, Delete and Move of an actor, by the actor itself."""

from fedcorp.activitypub.documents import Activity, domain_of
from fedcorp.activitypub.handlers.parties import IGNORED, PROCESSED, embedded, sender
from fedcorp.activitypub.intake import Intake
from fedcorp.activitypub.resolve import store_actor
from fedcorp.errors import Forbidden
from fedcorp.social import accounts, moving
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


def receive_move(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An account goes on under another one, which must say that it is this one, too: it is asked now, not remembered.

    Our followers follow along. Source: federation by FEP-7628 (push), what Mastodon and GoToSocial do.
    """
    account = sender(tx, activity, intake)
    uri = activity.target
    if uri is None or uri == account.uri:
        return IGNORED
    if not tx.site.urls.owns(uri) and uri not in intake.stored:
        intake.require(uri, "fresh actor")
    target = accounts.find_by_uri(tx, intake.stored.get(uri, uri))
    if target is None or (not target.local and uri not in intake.stored):
        raise Forbidden("The account that it moved to cannot be found.")
    if account.uri not in moving.aliases(target):
        raise Forbidden("The account that it moved to does not say that it is this one.")
    return PROCESSED if moving.receive(tx, account, target) else IGNORED


def receive_delete_actor(tx: Tx, activity: Activity, intake: Intake) -> str:
    """An account is gone for good."""
    account = accounts.find_by_uri(tx, activity.actor)
    insert_ignore(tx, tombstones, uri=activity.actor, owner_uri=activity.actor, former_type="person", deleted_at=tx.ms)
    if account is None or account.local:
        return IGNORED
    if account.deleted_at is None:
        accounts.delete(tx, account)
    return PROCESSED
