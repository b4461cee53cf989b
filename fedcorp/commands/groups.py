"""`fedcorp group`: makes and lists groups, checks their ledgers offline and writes them into files for others."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.markup import escape
from rich.table import Table

from fedcorp import keys
from fedcorp.activitypub import ledger_copy, ledger_file, settling
from fedcorp.activitypub.ledger import Evidence
from fedcorp.activitypub.ledger_copy import Outcome
from fedcorp.clock import Clock
from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.commands.people import find_person
from fedcorp.company import audit
from fedcorp.errors import BadRequest, ConfigError, Unprocessable
from fedcorp.keys import KeyPair
from fedcorp.social import accounts, ledgers, memberships, policy
from fedcorp.social.accounts import Account
from fedcorp.social.ledgers import Kept
from fedcorp.storage.database import Database, Tx

group = typer.Typer(help="Groups and their ledgers.")

HEADINGS = ("Name", "Title", "Preset", "Members", "Entries", "Ledger")
WRONG = 1  # exit code
Named = Annotated[str, typer.Argument(metavar="NAME", help="Like robotics, or robotics@hr.example.com.")]


@group.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Up to 30 of a-z, 0-9 and _.")],
    title: Annotated[str, typer.Option(help="The name people see.")],
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who looks after it.")],
    config: ConfigPath = DEFAULT,
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(policy.PRESETS),
            help="open: everybody may join; request: joining is asked for; private: members alone read it; "
            "announcement: moderators alone post; secret: nobody but members knows of it.",
        ),
    ] = "open",
) -> None:
    """Make a group that people of every department may belong to."""

    async def work(db: Database) -> Account:
        return await db.write(add_group, name, keys.generate(), title=title, preset=preset, owner=owner)

    console.print(f"Made the group @{escape(run(config, work).handle)}.")


def add_group(tx: Tx, name: str, pair: KeyPair, *, title: str, preset: str, owner: str) -> Account:
    """Make a group with a person of this department as its admin. Raises NotFound, Unprocessable, Conflict."""
    return memberships.found(tx, find_person(tx, owner), name, pair, title=title, preset=preset)


@group.command("list")
def list_(config: ConfigPath = DEFAULT) -> None:
    """Show the groups of this department, and those of others that people here belong to."""

    async def work(db: Database) -> list[Kept]:
        return await db.read(ledgers.kept)

    found = run(config, work)
    if not found:
        console.print("There are no groups; make one with `fedcorp group create NAME --title TITLE --owner NAME`.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in found:
        table.add_row(*(escape(cell) for cell in _row(item)))
    table.columns[0].no_wrap = True
    console.print(table)


def _row(item: Kept) -> list[str]:
    title = item.account.display_name or item.account.username
    return [item.account.acct, title, item.preset, str(item.members), str(item.state.seq), _place(item)]


def _place(item: Kept) -> str:
    """Where the ledger is kept and, of a copy, whether it is whole."""
    if item.state.forked_at is not None:
        return "copy, two histories were seen"
    if item.account.local:
        return "local"
    if not item.state.known:
        return "none seen"
    missing = item.state.known - item.state.seq
    return f"copy, {missing} entries are missing" if missing > 0 else "copy"


@group.command("rotate-keys")
def rotate_keys(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A group of this department.")],
    config: ConfigPath = DEFAULT,
    stolen: Annotated[
        bool, typer.Option("--stolen", help="The old keys are in wrong hands: they count no more from now on.")
    ] = False,
) -> None:
    """Give a group new keys to sign with. Its ledger goes on: an entry tells everybody which key comes next."""
    pair = keys.generate()

    async def work(db: Database) -> Account:
        return await db.write(_rotate, name, pair, stolen)

    console.print(f"@{escape(run(config, work).handle)} signs with new keys.")


def _rotate(tx: Tx, name: str, pair: KeyPair, stolen: bool) -> Account:
    found = ledger_copy.find_group(tx, name)
    if not found.local or found.hidden:
        raise Unprocessable(f"@{found.handle} is no group of this department; its keys are changed where it lives.")
    accounts.rotate_keys(tx, found, pair, stolen=stolen)
    audit.note(tx, audit.COMMAND_LINE, "group.rotate-keys", found.uri, "stolen" if stolen else "")
    return found


@group.command("settle")
def settle(name: Named, config: ConfigPath = DEFAULT) -> None:
    """End the doubt about a group that showed two histories: believe what its department tells now.

    Ask its administrators first what happened. What our copy had instead is kept apart.
    """

    async def work(db: Database) -> tuple[Account, Evidence]:
        return await db.write(_settle, name)

    found, evidence = run(config, work)
    for document, whose in ((evidence.known, "here"), (evidence.told, evidence.told_by)):
        if document is not None:
            words = f"Entry {document['seq']} {whose}: {document['objectType']} {document['object']}"
            console.print(f"{words}, {document['published']}", markup=False, soft_wrap=True)
    if found.local:
        console.print(f"@{escape(found.handle)} is believed again. Departments whose copies differ do the same there.")
    else:
        console.print(
            f"The copy of @{escape(found.handle)} is taken again; `fedcorp group list` shows when it is whole."
        )


def _settle(tx: Tx, name: str) -> tuple[Account, Evidence]:
    found = ledger_copy.find_group(tx, name)
    return found, settling.settle(tx, found, audit.COMMAND_LINE)


# -- ledgers ---------------------------------------------------------------------------------------------------------


@group.command("verify")
def verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Like robotics@hr.example.com.")] = None,
    config: ConfigPath = DEFAULT,
    file: Annotated[
        Path | None, typer.Option(help="An exported ledger; neither configuration nor server is needed.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="MULTIBASE", help="With --file: the group's key that you trust, z6Mk...")
    ] = None,
) -> None:
    """Check the ledger of a group offline: every signature, every link, every role. Names the first wrong entry.

    Exit code 0: it holds; 1: it does not; 2: it could not be looked at.
    """
    if (name is None) == (file is None):
        raise typer.BadParameter("give either the NAME of a group or --file with an exported ledger.")
    if file is not None:
        _show(_verify_file(file, ledger_file.check_key(key) if key is not None else None))
        return
    if key is not None:
        raise typer.BadParameter("--key belongs to --file; of a group the database knows the key.")

    async def work(db: Database) -> Outcome:
        return await db.read(lambda tx: ledger_copy.examine(tx, ledger_copy.find_group(tx, str(name))))

    _show(run(config, work))


def _verify_file(path: Path, trusted: str | None) -> Outcome:
    clock = Clock()
    try:
        with path.open("rb") as stream:
            title, outcome = ledger_file.verify(stream, clock, trusted)
    except BadRequest as error:
        raise BadRequest(f"{path}: {error.text}") from error
    finally:
        clock.close()
    if trusted is None and outcome.wrong is None:
        console.print(
            f"It is signed with the key {title.key} that the file itself names. Compare it with what {title.group_uri} "
            "publishes, or give the one that you trust with --key.", markup=False,
        )  # fmt: skip
    return outcome


def _show(outcome: Outcome) -> None:
    for note in outcome.notes:
        console.print(note, markup=False)
    if outcome.wrong is not None:
        typer.echo(f"fedcorp: {outcome.wrong}.", err=True)
        raise typer.Exit(WRONG)
    end = f"head is {outcome.digest}" if outcome.count else "there is no head yet"
    console.print(f"{outcome.count} entries hold, {end}", markup=False)


@group.command("export")
def export(
    name: Named,
    config: ConfigPath = DEFAULT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file; without it, the lines are printed.")
    ] = None,
) -> None:
    """Write the ledger of a group into a file that anybody can verify without a server."""

    count = run(config, lambda db: _export(db, name, output))
    if output is not None:
        console.print(f"Wrote {count} entries to {output}.", markup=False)
        console.print(f"Check them anywhere with `fedcorp group verify --file {output}`.", markup=False)


async def _export(db: Database, name: str, output: Path | None) -> int:
    """Write the file page by page; how many entries it has. The chain only grows, so the pages fit each other."""
    found = await db.read(ledger_copy.find_group, name)
    first, upto = await db.read(ledger_file.first_line, found)
    with _opened(output) as stream:
        stream.write(first)
        lines, last = await db.read(ledger_file.lines, found, 0, upto)
        while lines:
            stream.write(lines)
            lines, last = await db.read(ledger_file.lines, found, last, upto)
    return upto


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """A new file for its owner alone, since it names members; it goes away again when it cannot be finished."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already; remove it or choose another name.") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
    except BaseException:
        path.unlink()
        raise
