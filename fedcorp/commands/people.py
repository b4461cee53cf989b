"""`fedcorp account` and `fedcorp token`: makes people and their tokens. Their groups: `groups`."""

from typing import Annotated

import typer
from rich.markup import escape

from fedcorp import keys
from fedcorp.clock import Clock
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.company import audit
from fedcorp.errors import NotFound
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, applications, passwords
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx

account = typer.Typer(help="People of this department.")
token = typer.Typer(help="Access tokens for programs.")


@account.command("create")
def create_account(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Up to 30 of a-z, 0-9 and _.")],
    config: ConfigPath = DEFAULT,
    email: Annotated[str | None, typer.Option(help="An address to sign in with, beside the name.")] = None,
    password: Annotated[
        str | None, typer.Option(help="At least 8 characters; one is made and shown when left out.")
    ] = None,
    role: Annotated[str, typer.Option(help="user, moderator or admin.")] = "user",
) -> None:
    """Make an account that somebody can sign in with."""
    chosen = password or Clock().token(12)
    hashed = passwords.hash_password(chosen)

    async def work(db: Database) -> Account:
        return await db.write(_create, name, keys.generate(), email, hashed, role)

    made = run(config, work)
    console.print(f"Made @{escape(made.handle)}.")
    if password is None:
        console.print(f"Password (shown only now): {chosen}", markup=False)


def _create(tx: Tx, name: str, pair: KeyPair, email: str | None, password_hash: str, role: str) -> Account:
    made = add_person(tx, name, pair, email=email, password_hash=password_hash, role=role)
    audit.note(tx, audit.COMMAND_LINE, "account.create", made.uri, role)
    return made


@account.command("password")
def set_password(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Somebody of this department.")],
    config: ConfigPath = DEFAULT,
    password: Annotated[
        str | None, typer.Option(help="At least 8 characters; one is made and shown when left out.")
    ] = None,
    sign_out: Annotated[
        bool, typer.Option("--sign-out", help="Somebody else knew the old one: every app must sign in anew.")
    ] = False,
) -> None:
    """Give somebody a new password. Browsers are signed out; apps stay signed in unless --sign-out is given."""
    chosen = password or Clock().token(12)
    hashed = passwords.hash_password(chosen)

    async def work(db: Database) -> Account:
        return await db.write(_set_password, name, hashed, sign_out)

    console.print(f"@{escape(run(config, work).handle)} has a new password.")
    if password is None:
        console.print(f"Password (shown only now): {chosen}", markup=False)


def _set_password(tx: Tx, name: str, password_hash: str, sign_out: bool) -> Account:
    owner = find_person(tx, name)
    accounts.set_password(tx, owner.id, password_hash)
    (applications.revoke_all if sign_out else applications.end_sessions)(tx, owner.id)
    audit.note(tx, audit.COMMAND_LINE, "account.password", owner.uri, "every app signed out" if sign_out else "")
    return owner


def add_person(
    tx: Tx, name: str, pair: KeyPair, *, email: str | None = None, password_hash: str, role: str = "user"
) -> Account:
    """Make a local account and the user behind it. Raises Unprocessable, Conflict."""
    made = accounts.create_local(tx, name, pair)
    accounts.create_user(tx, made.id, email=email, password_hash=password_hash, role=role)
    return made


@account.command("rotate-keys")
def rotate_keys(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Somebody of this department.")] = None,
    config: ConfigPath = DEFAULT,
    server: Annotated[bool, typer.Option("--server", help="The keys of the server itself.")] = False,
    stolen: Annotated[
        bool, typer.Option("--stolen", help="The old keys are in wrong hands: they count no more from now on.")
    ] = False,
) -> None:
    """Give somebody, or the server, new keys to sign with. The old ones are known for eight more days."""
    if (name is None) != server:
        raise typer.BadParameter("name somebody, or --server")
    pair = keys.generate()

    async def work(db: Database) -> Account:
        return await db.write(_rotate, name, pair, stolen)

    console.print(f"@{escape(run(config, work).handle)} signs with new keys.")


def _rotate(tx: Tx, name: str | None, pair: KeyPair, stolen: bool) -> Account:
    owner = accounts.instance_actor(tx) if name is None else find_person(tx, name)
    accounts.rotate_keys(tx, owner, pair, stolen=stolen)
    audit.note(tx, audit.COMMAND_LINE, "account.rotate-keys", owner.uri, "stolen" if stolen else "")
    return owner


@token.command("create")
def create_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is.")],
    config: ConfigPath = DEFAULT,
    scopes: Annotated[str, typer.Option(help='What it allows, like "read write follow push".')] = "read",
) -> None:
    """Print a new bearer token for somebody, and nothing else."""

    async def work(db: Database) -> str:
        return await db.write(_issue, name, scopes)

    typer.echo(run(config, work))


def _issue(tx: Tx, name: str, scopes: str) -> str:
    owner = find_person(tx, name)
    application = applications.command_line_application(tx)
    held = applications.check_scopes(scopes, within=application.scopes)
    audit.note(tx, audit.COMMAND_LINE, "token.create", owner.uri, held)
    return applications.issue_token(tx, account_id=owner.id, application_id=application.id, scopes=held)


def find_person(tx: Tx, name: str) -> Account:
    """Somebody of this department by name. Raises NotFound."""
    found = accounts.find_local(tx, name.lstrip("@"))
    if found is None or found.hidden or found.kind != "person":
        raise NotFound(f"there is nobody called {name!r} here; make the account with `fedcorp account create {name}`.")
    return found
