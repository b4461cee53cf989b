"""`fedcorp account alias` and `move`: other names of somebody, and moving them to another account anywhere."""

from typing import Annotated

import typer
from rich.markup import escape

from fedcorp import __version__
from fedcorp import config as configuration
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.resolve import Resolver
from fedcorp.clock import Clock
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.commands.people import find_person
from fedcorp.commands.probing import outwards
from fedcorp.config import Config
from fedcorp.errors import NotFound
from fedcorp.social import accounts, moving
from fedcorp.social.accounts import Account
from fedcorp.storage.database import Database, Tx

Name = Annotated[str, typer.Argument(metavar="NAME", help="Somebody of this department.")]


def alias(
    name: Name,
    handles: Annotated[
        list[str] | None, typer.Argument(metavar="[HANDLE]...", help="Their other accounts, like ann@hr.example.com.")
    ] = None,
    config: ConfigPath = DEFAULT,
    none: Annotated[bool, typer.Option("--none", help="Take all of them away.")] = False,
) -> None:
    """Say which other accounts somebody has, so that these can be moved here; without any, show them."""
    loaded = configuration.load(config)

    async def work(db: Database) -> tuple[str, ...]:
        person = await db.read(find_person, name)
        if not handles and not none:
            return moving.aliases(person)
        found = [await look_up(db, loaded, handle, fresh=False) for handle in handles or ()]
        return await db.write(_set, name, [one.uri for one in found])

    names = run(config, work)
    console.print("\n".join(map(escape, names)) if names else f"{escape(name)} has no other names.")


def _set(tx: Tx, name: str, uris: list[str]) -> tuple[str, ...]:
    return moving.aliases(moving.set_aliases(tx, find_person(tx, name), uris))


def move(
    name: Name,
    handle: Annotated[str | None, typer.Argument(metavar="[HANDLE]", help="The new account.")] = None,
    config: ConfigPath = DEFAULT,
    stay: Annotated[bool, typer.Option("--stay", help="End the redirection that a move left behind.")] = False,
) -> None:
    """Move somebody to another account that names this one as its alias: who follows them follows along."""
    if (handle is None) != stay:
        raise typer.BadParameter("name the new account, or --stay")
    loaded = configuration.load(config)

    async def work(db: Database) -> Account | None:
        await db.read(find_person, name)
        target = await look_up(db, loaded, handle, fresh=True) if handle is not None else None
        await db.write(_move, name, target.id if target is not None else None)
        return target

    target = run(config, work)
    if target is None:
        console.print(f"{escape(name)} is here again. Who followed along stays there.")
    else:
        console.print(f"{escape(name)} has moved to @{escape(target.handle)}. Posts stay where they are.")


def _move(tx: Tx, name: str, target_id: int | None) -> None:
    person = find_person(tx, name)
    if target_id is None:
        moving.stay(tx, person)
    else:
        moving.move(tx, person, accounts.get(tx, target_id))


async def look_up(db: Database, config: Config, handle: str, *, fresh: bool) -> Account:
    """The account of a handle, here or elsewhere; with `fresh` what it says now.

    Raises NotFound, Forbidden, Unavailable.
    """
    known = await db.read(accounts.find_by_handle, *_split(db, handle))
    if known is not None and known.local:
        return known
    clock, network = Clock(), outwards(config)
    try:
        resolver = Resolver(Client(network, db, clock, f"fedcorp/{__version__} (+{config.origin})"), db, clock)
        found = await resolver.account(handle.lstrip("@"))
        return await resolver.actor(found.uri, fresh=True) if fresh else found
    finally:
        await network.aclose()
        clock.close()


def _split(db: Database, handle: str) -> tuple[str, str | None]:
    name, _, domain = handle.lstrip("@").partition("@")
    if not name:
        raise NotFound(f"{handle} is not a handle like ann@hr.example.com.")
    return name, domain or db.site.urls.domain
