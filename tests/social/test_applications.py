"""Applications, codes, tokens and sessions: what opens the door, and what does no longer."""

import hashlib
from base64 import urlsafe_b64encode

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.errors import Unprocessable
from fedcorp.social import applications
from fedcorp.social.accounts import Account
from fedcorp.social.applications import REPLAY_MS, Application, Tokens
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts, streams, users
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio
REDIRECT = "https://phone.example/callback"
SHUT = (sa.update(users).values(disabled_at=1), sa.update(accounts).values(suspended_at=1))


async def register(department: Department) -> Application:
    application, secret = await department.do(
        applications.create_application, name="Phone", redirect_uris=[REDIRECT], scopes="read write follow"
    )
    assert applications.check_secret(application, secret)
    assert not applications.check_secret(application, secret + "x")
    assert await department.see(applications.find_application, application.client_id) == application
    return application


async def code_for(department: Department, application: Application, ann: Account, challenge: str | None = None) -> str:
    return await department.do(
        applications.create_code, application_id=application.id, account_id=ann.id, redirect_uri=REDIRECT,
        scopes="read", challenge=challenge,
    )  # fmt: skip


async def exchange(
    department: Department, application: Application, code: str, *, to: str = REDIRECT, verifier: str | None = None
) -> Tokens | None:
    return await department.do(
        applications.exchange_code, application=application, code=code, redirect_uri=to, verifier=verifier
    )


async def test_code_gives_one_token(department: Department) -> None:
    ann = await department.person("ann", role="moderator")
    application = await register(department)
    tokens = await exchange(department, application, await code_for(department, application, ann))
    assert tokens
    found = await department.see(applications.find_token, tokens.access)
    assert found
    assert (found.account_id, found.application_id, found.role) == (ann.id, application.id, "moderator")
    assert found.scopes == {"read"}


async def test_replayed_code_revokes_its_token(department: Department) -> None:
    ann = await department.person("ann")
    application = await register(department)
    code = await code_for(department, application, ann)
    tokens = await exchange(department, application, code)
    assert tokens
    assert await exchange(department, application, code) is None
    assert await department.see(applications.find_token, tokens.access) is None


async def granted(department: Department, name: str) -> tuple[Application, str]:
    """A client and the refresh token that somebody's consent gave it."""
    application = await register(department)
    code = await code_for(department, application, await department.person(name))
    tokens = await exchange(department, application, code)
    assert tokens
    assert tokens.refresh
    return application, tokens.refresh


async def refresh(department: Department, application: Application, token: str) -> Tokens | None:
    return await department.do(applications.refresh, application=application, token=token)


@pytest.mark.parametrize("shut", SHUT, ids=["off", "out"])
async def test_shut_account_refreshes_nothing_and_loses_nothing(department: Department, shut: sa.Update) -> None:
    application, token = await granted(department, "ann")
    await department.do(lambda tx: tx.conn.execute(shut))
    assert await refresh(department, application, token) is None
    await department.do(lambda tx: tx.conn.execute(sa.update(users).values(disabled_at=None)))
    await department.do(lambda tx: tx.conn.execute(sa.update(accounts).values(suspended_at=None)))
    assert await refresh(department, application, token)


async def test_used_tokens_are_forgotten_after_a_while(department: Department) -> None:
    application, first = await granted(department, "ann")
    second = await refresh(department, application, first)
    assert second
    assert second.refresh
    department.clock.pass_(seconds=REPLAY_MS / 1000 + 1)
    await department.do(applications.prune)
    assert await refresh(department, application, first) is None
    third = await refresh(department, application, second.refresh)
    assert third
    assert await department.see(applications.find_token, third.access)


async def test_signing_out_everywhere_ends_refreshing(department: Department) -> None:
    application, token = await granted(department, "ann")
    bens = await granted(department, "ben")
    await department.do(_sign_out, "ann")
    assert await refresh(department, application, token) is None
    assert await refresh(department, *bens)


def _sign_out(tx: Tx, name: str) -> None:
    applications.revoke_all(
        tx, tx.conn.execute(sa.select(accounts.c.id).where(accounts.c.username == name)).scalar_one()
    )


async def test_code_is_refused_elsewhere_and_late(department: Department) -> None:
    ann = await department.person("ann")
    application = await register(department)
    other, _ = await department.do(applications.create_application, name="Other", redirect_uris=[REDIRECT])
    code = await code_for(department, application, ann)
    assert await exchange(department, other, code) is None
    assert await exchange(department, application, code, to="https://evil.example/") is None
    department.clock.pass_(seconds=601)
    assert await exchange(department, application, code) is None


async def test_proof_key(department: Department) -> None:
    ann = await department.person("ann")
    application = await register(department)
    verifier = "a-verifier-of-more-than-forty-three-characters-1234"
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = await code_for(department, application, ann, challenge)
    assert await exchange(department, application, code) is None
    assert await exchange(department, application, code, verifier=verifier + "x") is None
    assert await exchange(department, application, code, verifier=verifier)
    bare = await code_for(department, application, ann)
    assert await exchange(department, application, bare, verifier=verifier) is None


async def token_of(department: Department, account_id: int | None) -> str:
    application = await department.do(applications.command_line_application)
    return await department.do(
        applications.issue_token, account_id=account_id, application_id=application.id, scopes="read"
    )


async def test_command_line_application_is_one(department: Department) -> None:
    first = await department.do(applications.command_line_application)
    assert await department.do(applications.command_line_application) == first
    assert not applications.check_secret(first, "")


@pytest.mark.parametrize("shut", SHUT, ids=["off", "out"])
async def test_shut_account_has_no_token_and_no_session(department: Department, shut: sa.Update) -> None:
    ann = await department.person("ann")
    token = await token_of(department, ann.id)
    cookie = await department.do(applications.start_session, ann.id)
    assert await department.see(applications.find_session, cookie) == ann.id
    await department.do(lambda tx: tx.conn.execute(shut))
    assert await department.see(applications.find_token, token) is None
    assert await department.see(applications.find_session, cookie) is None
    assert await department.see(applications.find_token, await token_of(department, None))


async def test_revoking(department: Department) -> None:
    ann = await department.person("ann")
    token = await token_of(department, ann.id)
    assert not await department.do(applications.revoke_token, token, application_id=1)
    assert await department.do(applications.revoke_token, token)
    assert not await department.do(applications.revoke_token, token)
    assert await department.see(applications.find_token, token) is None


async def test_signing_out_everywhere(department: Department) -> None:
    ann = await department.person("ann")
    token, cookie = await token_of(department, ann.id), await department.do(applications.start_session, ann.id)
    await department.do(applications.revoke_all, ann.id)
    assert await department.see(applications.find_token, token) is None
    assert await department.see(applications.find_session, cookie) is None
    assert await department.see(_closed) == {ann.id}


def _closed(tx: Tx) -> set[int | None]:
    return set(tx.conn.execute(sa.select(streams.c.account_id).where(streams.c.kind == "closed")).scalars())


async def test_sessions_end(department: Department) -> None:
    ann = await department.person("ann")
    cookie = await department.do(applications.start_session, ann.id)
    other = await department.do(applications.start_session, ann.id)
    await department.do(applications.end_session, cookie)
    assert await department.see(applications.find_session, cookie) is None
    department.clock.pass_(seconds=14 * 86400)
    assert await department.see(applications.find_session, other) is None
    await department.do(applications.prune)


@pytest.mark.parametrize("uri", ["", "callback", "javascript:alert(1)", "https://a.example/#x", "https://a b/"])
async def test_bad_redirect_uri(department: Department, uri: str) -> None:
    with pytest.raises(Unprocessable):
        await department.do(applications.create_application, name="Phone", redirect_uris=[uri])


@pytest.mark.parametrize(
    "uri", [applications.OUT_OF_BAND, "icecubesapp://", "mastodon-android-auth://callback", "oauth2redirect://a.b/"]
)
async def test_redirect_uris_of_apps(department: Department, uri: str) -> None:
    application, _ = await department.do(applications.create_application, name="App", redirect_uris=[uri])
    assert application.redirect_uris == (uri,)


@pytest.mark.parametrize(
    ("held", "needed", "given"),
    [
        ("read", "read:accounts", True),
        ("read:accounts", "read", False),
        ("read:accounts", "read:statuses", False),
        ("write", "read:accounts", False),
        ("follow", "write:follows", True),
        ("follow", "read:mutes", True),
        ("follow", "write:statuses", False),
        ("admin:read", "admin:read:accounts", True),
        ("read write", "admin:read", False),
        ("profile", "profile", True),
    ],
)
def test_what_scopes_give(held: str, needed: str, given: bool) -> None:
    assert applications.allows(held.split(), needed) is given


def test_scopes_are_checked() -> None:
    assert applications.check_scopes("") == "read"
    assert applications.check_scopes("write read  write") == "write read"
    assert applications.check_scopes("read:lists", "read") == "read:lists"
    for asked, within in (("fly", None), ("write", "read"), ("read", "read:lists")):
        with pytest.raises(Unprocessable):
            applications.check_scopes(asked, within)


@given(st.sets(st.sampled_from(sorted(applications.SCOPES))), st.sampled_from(sorted(applications.SCOPES)))
def test_more_scopes_never_give_less(held: set[str], needed: str) -> None:
    assert applications.allows(held | {needed}, needed)
    if applications.allows(held, needed):
        assert applications.allows(held | {"push"}, needed)
