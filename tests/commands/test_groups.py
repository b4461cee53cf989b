"""The command line of groups: made, listed, verified offline, exported. What was tampered with is named by number."""

import asyncio
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.__main__ import run
from fedcorp.activitypub import ledger as ledgers
from fedcorp.activitypub import ledger_copy, outbox
from fedcorp.activitypub.ledger_keys import of_group as ledger_keys_of
from fedcorp.activitypub.proofs import add_proof
from fedcorp.canonical import digest_of
from fedcorp.clock import Clock
from fedcorp.commands.opening import opened
from fedcorp.config import Config
from fedcorp.social import accounts, memberships, policy, publishing, stewardship
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Settings
from fedcorp.social.publishing import Draft
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import affiliations, audit, ledger, ledger_heads, ledger_keys
from fedcorp.storage.tables import keys as keys_table
from fedcorp.storage.tables import memberships as memberships_table
from tests.commands.conftest import DOMAIN, Line
from tests.federation.world import Company, Department, pair

T = TypeVar("T")
TOTAL = 8  # entries of the ledger below
POST = 5  # the one without a body
BAN = 6


def write(config: Config, work: Callable[[Tx], T]) -> T:
    """Run one unit on the instance."""

    async def main() -> T:
        async with opened(config, Clock()) as db:
            return await db.write(work)

    return asyncio.run(main())


def person(tx: Tx, name: str) -> Account:
    found = accounts.find_local(tx, name)
    assert found is not None
    return found


def live(tx: Tx) -> None:
    """Eight entries: ann founds; bo and cy join; bo moderates; a post; cy is banned; the rules change; di joins."""
    for name in ("ann", "bo", "cy", "di"):
        made = accounts.create_local(tx, name, pair())
        accounts.create_user(tx, made.id, email=None, password_hash="")
    ann, bo, cy, di = (person(tx, name) for name in ("ann", "bo", "cy", "di"))
    group = memberships.found(tx, ann, "robots", pair(1), title="Robots [R&D]", preset="private")
    for member in (bo, cy):
        memberships.add(tx, group.id, member.id, actor_id=ann.id)
    stewardship.give_role(tx, group, ann, bo, "moderator")
    publishing.publish(tx, ann, Draft(text="@robots hello", mentions={"robots": group.id}))
    tx.finish()
    stewardship.ban(tx, group, bo, cy, "spam")
    stewardship.change(tx, group, ann, Settings(purpose="Arms and legs"))
    memberships.add(tx, group.id, di.id, actor_id=bo.id)
    tx.finish()
    while outbox.expand(tx):
        pass


@pytest.fixture(scope="session")
def lived(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a group that has a history; copied for every test."""
    folder = tmp_path_factory.mktemp("lived") / "finance"
    shutil.copytree(made, folder)
    write(Line(folder, None).config, live)  # type: ignore[arg-type]
    return folder


@pytest.fixture
def robots(lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    """The command line of that instance."""
    shutil.copytree(lived, tmp_path / "finance")
    return Line(tmp_path / "finance", capsys)


def group_of(tx: Tx) -> Account:
    return person(tx, "robots")


def rows_of(tx: Tx) -> list[ledger_copy.Row]:
    return ledger_copy.page(tx, group_of(tx).id, 0, 10_000)


def put(tx: Tx, seq: int, **values: Any) -> None:
    """Change columns of a row of the ledger behind everybody's back."""
    mine = sa.and_(ledger.c.group_id == group_of(tx).id, ledger.c.seq == seq)
    tx.conn.execute(sa.update(ledger).where(mine).values(**values))


def change_entry(tx: Tx, seq: int, **values: Any) -> None:
    """Change words of an entry, and the columns beside it so that they fit again."""
    document = orjson.loads(rows_of(tx)[seq - 1].entry) | values
    put(tx, seq, entry=orjson.dumps(document), digest=digest_without_proof(document))


def digest_without_proof(document: dict[str, Any]) -> str:
    return digest_of({name: value for name, value in document.items() if name != "proof"})


def forge(document: dict[str, Any], private: str, **values: Any) -> dict[str, Any]:
    """The entry with other words, signed anew."""
    unsigned = {name: value for name, value in document.items() if name != "proof"} | values
    key_id = document["proof"]["verificationMethod"]
    return add_proof(unsigned, key_id=key_id, private=keys.load_private(private), created=Clock().now())


# -- create and list -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", policy.PRESETS)
def test_every_preset_can_be_made(line: Line, preset: str) -> None:
    assert line("account", "create", "ann", "--password", "long enough") == 0
    assert line("group", "create", "python", "--title", "Python", "--preset", preset, "--owner", "ann") == 0
    assert line.out == f"Made the group @python@{DOMAIN}.\n"
    assert line("group", "list") == 0
    assert line.out.splitlines()[1].split() == ["python", "Python", preset, "1", "0", "local"]


def test_an_unknown_preset_is_refused_with_those_that_exist(line: Line) -> None:
    line("account", "create", "ann", "--password", "long enough")
    assert line("group", "create", "python", "--title", "Python", "--preset", "closed", "--owner", "ann") == 2
    assert line.err == ("fedcorp: a preset is one of open, request, private, announcement, secret, not 'closed'.\n")


def test_list_of_nothing_says_how_to_make_one(line: Line) -> None:
    assert line("group", "list") == 0
    assert "fedcorp group create" in line.out


def test_list_shows_members_and_entries(robots: Line) -> None:
    assert robots("group", "list") == 0
    assert robots.out.splitlines()[1].split("  ")[0] == "robots"
    assert robots.out.splitlines()[1].split() == ["robots", "Robots", "[R&D]", "private", "3", str(TOTAL), "local"]


# -- verify ----------------------------------------------------------------------------------------------------------


def test_an_untouched_ledger_holds(robots: Line) -> None:
    head = write(robots.config, lambda tx: ledgers.head(tx, group_of(tx).id))
    assert head.seq == TOTAL
    for name in ("robots", "@robots", f"robots@{DOMAIN}"):
        assert robots("group", "verify", name) == 0
        assert robots.out == f"{TOTAL} entries hold, head is {head.digest}\n"
        assert robots.err == ""


def test_what_no_server_has_written_yet_is_no_difference(robots: Line) -> None:
    def work(tx: Tx) -> None:
        memberships.remove(tx, group_of(tx).id, person(tx, "bo").id, actor_id=person(tx, "ann").id)

    write(robots.config, work)
    assert robots("group", "verify", "robots") == 0
    assert "no entry yet, because no server has run since: 1." in robots.out
    write(robots.config, lambda tx: outbox.expand(tx))
    assert robots("group", "verify", "robots") == 0
    assert robots.out.startswith(f"{TOTAL + 1} entries hold, ")


def test_a_group_without_history_holds(robots: Line) -> None:
    assert robots("group", "create", "new", "--title", "New", "--owner", "ann") == 0
    assert robots("group", "verify", "new") == 0
    assert robots.out.endswith("0 entries hold, there is no head yet\n")


def changed_body(tx: Tx) -> None:
    body = orjson.loads(rows_of(tx)[BAN - 1].body or b"")
    body["object"]["relationship"] = "member"
    put(tx, BAN, body=orjson.dumps(body))


def swapped(tx: Tx) -> None:
    third, fourth = rows_of(tx)[2:4]
    for seq, row in ((3, fourth), (4, third)):
        put(tx, seq, uri=row.uri, kind=row.kind, object_uri=row.object_uri, digest=row.digest, entry=row.entry)
        put(tx, seq, body=row.body)


def removed(tx: Tx, *, after: int, upto: int, head: bool = False) -> None:
    group = group_of(tx)
    tx.conn.execute(sa.delete(ledger).where(ledger.c.group_id == group.id, ledger.c.seq > after, ledger.c.seq <= upto))
    if head:
        last = rows_of(tx)[-1]
        mine = ledger_heads.c.group_id == group.id
        tx.conn.execute(sa.update(ledger_heads).where(mine).values(seq=last.seq, digest=last.digest))


def foreign_key(tx: Tx) -> None:
    """Whoever has the database but not the key writes the tail anew, with all digests right."""
    stolen, previous = keys.generate(), ""
    for row in rows_of(tx):
        document = orjson.loads(row.entry)
        if row.seq >= 4:
            document = forge(document, stolen.ed25519_private, prevDigest=previous)
            put(tx, row.seq, entry=orjson.dumps(document), digest=digest_without_proof(document))
        previous = digest_without_proof(document)
    tx.conn.execute(sa.update(ledger_heads).values(digest=previous))


def other_key_of_group(tx: Tx) -> None:
    mine = sa.and_(keys_table.c.account_id == group_of(tx).id, keys_table.c.kind == "ed25519")
    tx.conn.execute(sa.update(keys_table).where(mine).values(public=keys.generate().ed25519_public))


def other_first_key(tx: Tx) -> None:
    tx.conn.execute(sa.update(ledger_keys).values(public=keys.generate().ed25519_public))


def key_without_change(tx: Tx) -> None:
    tx.conn.execute(sa.insert(ledger_keys).values(group_id=group_of(tx).id, seq=3, key_id="x", public="z6Mk"))


def second_history(tx: Tx) -> None:
    """The group's own key signs another entry 5; all later ones still name the digest of the first."""
    key = accounts.signing_keys(tx, group_of(tx).id)["ed25519"]
    document = forge(orjson.loads(rows_of(tx)[4].entry), str(key.private), objectType="Delete")
    put(tx, 5, entry=orjson.dumps(document), digest=digest_without_proof(document), kind="Delete")


def wrong_head(tx: Tx) -> None:
    tx.conn.execute(sa.update(ledger_heads).values(digest="zQmX"))


def more_context(tx: Tx) -> None:
    """A proof covers only the beginning of a context; the digest covers all of it."""
    context = orjson.loads(rows_of(tx)[3].entry)["@context"]
    change_entry(tx, 4, **{"@context": [*context, {"member": "urn:x"}]})


TAMPERINGS: list[tuple[str, Callable[[Tx], None], int, str]] = [
    ("a changed body", changed_body, BAN, "its body is not the activity"),
    ("a body of another entry", lambda tx: put(tx, 3, body=rows_of(tx)[1].body), 3, "its body is not the activity"),
    ("a body that is no JSON", lambda tx: put(tx, 3, body=b"{"), 3, "its body is no JSON"),
    ("a changed entry", lambda tx: change_entry(tx, 3, objectActor="http://x.example/u/1"), 3, "it was changed"),
    ("a changed time", lambda tx: change_entry(tx, POST, published="2020-01-01T00:00:00Z"), POST, "it was changed"),
    ("something added", lambda tx: change_entry(tx, 3, note="x"), 3, "it was changed"),
    ("something added that no proof covers", lambda tx: change_entry(tx, 4, signature={"x": 1}), 4, "it was changed"),
    ("more context", more_context, 4, "it was changed"),
    ("no proof", lambda tx: change_entry(tx, 7, proof=None), 7, "it is not signed"),
    ("another group", lambda tx: change_entry(tx, 7, attributedTo="http://x.example/g"), 7, "another group"),
    ("no entry", lambda tx: put(tx, 2, entry=b'{"type":"Note"}'), 2, "it is not an entry"),
    ("no JSON", lambda tx: put(tx, 1, entry=b"\x00"), 1, "it is not an entry"),
    ("a changed column", lambda tx: put(tx, 4, object_uri="http://x.example/a"), 4, "the columns beside it"),
    ("a removed entry", lambda tx: removed(tx, after=3, upto=4), 4, "entry 5 stands in its place"),
    ("a removed beginning", lambda tx: removed(tx, after=0, upto=1), 1, "entry 2 stands in its place"),
    ("a swapped pair", swapped, 3, "entry 4 stands in its place"),
    ("a cut tail", lambda tx: removed(tx, after=6, upto=TOTAL), 7, f"the chain had {TOTAL} entries here"),
    ("a cut tail, with the head", lambda tx: removed(tx, after=6, upto=TOTAL, head=True), 7, f"had {TOTAL} entries"),
    ("everything", lambda tx: removed(tx, after=0, upto=TOTAL), 1, f"the chain had {TOTAL} entries here"),
    ("a foreign key", foreign_key, 4, "the group's key did not sign it"),
    ("another key of the group", other_key_of_group, TOTAL, "the group publishes another key than this"),
    ("another first key", other_first_key, 1, "the group's key did not sign it"),
    ("a key without its change", key_without_change, TOTAL, "the keys in ledger_keys are others"),
    ("a second history", second_history, 6, "it does not follow the entry before it"),
    ("a wrong head", wrong_head, TOTAL, "the head"),
]


@pytest.mark.parametrize(("tamper", "seq", "why"), [row[1:] for row in TAMPERINGS], ids=[row[0] for row in TAMPERINGS])
def test_the_first_wrong_entry_is_named(robots: Line, tamper: Callable[[Tx], None], seq: int, why: str) -> None:
    write(robots.config, tamper)
    assert robots("group", "verify", "robots") == 1
    assert robots.out == ""
    assert robots.err.startswith(f"fedcorp: entry {seq}: ")
    assert why in robots.err
    assert robots.err.count("\n") == 1


def test_a_second_history_that_was_seen_is_named(robots: Line) -> None:
    def work(tx: Tx) -> None:
        seen = ledgers.read(orjson.loads(rows_of(tx)[4].entry))
        assert seen is not None
        values = {"forked_at": tx.ms, "fork": orjson.dumps(seen.document).decode()}
        tx.conn.execute(sa.update(ledger_heads).values(**values))

    write(robots.config, work)
    assert robots("group", "verify", "robots") == 1
    assert "entry 5: the group has signed two different ones" in robots.err


def set_role(name: str, role: str | None) -> Callable[[Tx], None]:
    """Change a role in the table alone, without an event."""

    def work(tx: Tx) -> None:
        group, account = group_of(tx), person(tx, name)
        mine = sa.and_(memberships_table.c.group_id == group.id, memberships_table.c.account_id == account.id)
        tx.conn.execute(sa.delete(memberships_table).where(mine))
        if role is not None:
            values = {"group_id": group.id, "account_id": account.id, "role": role, "created_at": tx.ms}
            tx.conn.execute(sa.insert(memberships_table).values(**values))

    return work


def two_roles(tx: Tx) -> None:
    set_role("di", "admin")(tx)
    set_role("bo", "admin")(tx)


def a_stranger(tx: Tx) -> None:
    accounts.create_local(tx, "eve", pair())
    set_role("eve", "admin")(tx)


ROLES: list[tuple[str, Callable[[Tx], None], str, str]] = [
    ("raised", set_role("di", "admin"), "di", "is admin in the table memberships, but member by entry 8"),
    ("let back in", set_role("cy", "member"), "cy", "is member in the table memberships, but outcast by entry 6"),
    ("ban forgotten", set_role("cy", None), "cy", "has no role in the table memberships, but outcast by entry 6"),
    ("put out", set_role("bo", None), "bo", "has no role in the table memberships, but moderator by entry 4"),
    ("let in", a_stranger, "eve", "is admin in the table memberships, but no entry speaks of them"),
    ("two: the first by entry", two_roles, "bo", "is admin in the table memberships, but moderator by entry 4"),
    ("a body erased", lambda tx: put(tx, BAN, body=None), "cy", "is outcast in the table memberships, but member by"),
]


@pytest.mark.parametrize(("tamper", "name", "why"), [row[1:] for row in ROLES], ids=[row[0] for row in ROLES])
def test_a_role_that_does_not_follow_from_the_ledger_is_named(
    robots: Line, tamper: Callable[[Tx], None], name: str, why: str
) -> None:
    write(robots.config, tamper)
    assert robots("group", "verify", "robots") == 1
    assert robots.err.startswith(f"fedcorp: @{name}@{DOMAIN} (")
    assert why in robots.err
    assert robots.err.count("\n") == 1


def test_who_deletes_their_account_leaves_the_ledger_whole(robots: Line) -> None:
    def work(tx: Tx) -> None:
        accounts.delete(tx, person(tx, "di"))
        tx.finish()
        while outbox.expand(tx):
            pass

    write(robots.config, work)
    assert robots("group", "verify", "robots") == 0
    assert robots.out.startswith(f"{TOTAL + 1} entries hold, ")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("verify", "nothing"), "fedcorp group list"),
        (("verify", "ann"), "fedcorp group list"),
        (("verify", "robots@hr.example.com"), "fedcorp group list"),
        (("verify",), "either the NAME"),
        (("verify", "robots", "--file", "x"), "either the NAME"),
        (("verify", "robots", "--key", "z6Mk"), "--key belongs to --file"),
        (("verify", "--file", "/nowhere/x"), "No such file"),
        (("verify", "--file", "/nowhere/x", "--key", "zQm"), "z6Mk"),
        (("export", "nothing"), "fedcorp group list"),
        (("export", "robots", "--output", "/nowhere/x"), "No such file"),
    ],
)
def test_wrong_calls_are_one_line_with_a_cure(robots: Line, words: tuple[str, ...], hint: str) -> None:
    assert robots("group", *words) == 2
    assert robots.err.count("\n") == 1
    assert hint in robots.err


# -- export ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(robots: Line) -> Path:
    path = robots.folder / "robots.jsonl"
    assert robots("group", "export", "robots", "--output", str(path)) == 0
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def write_lines(path: Path, lines: list[Any]) -> None:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def test_the_file_says_what_it_is_and_holds_every_entry_with_its_kept_body(robots: Line, exported: Path) -> None:
    first, *others = read_lines(exported)
    group, key, head = write(
        robots.config,
        lambda tx: (group_of(tx), ledger_keys_of(tx, group_of(tx))[0], ledgers.head(tx, group_of(tx).id)),
    )
    assert {name: first[name] for name in ("format", "version", "group", "handle", "exporter", "entries", "head")} == {
        "format": "fedcorp-ledger", "version": 1, "group": group.uri, "handle": f"robots@{DOMAIN}",
        "exporter": f"http://{DOMAIN}", "entries": TOTAL, "head": head.digest,
    }  # fmt: skip
    assert first["key"] == {
        "id": key.id, "type": "Multikey", "controller": group.uri, "publicKeyMultibase": key.text,
    }  # fmt: skip
    assert [line["entry"]["seq"] for line in others] == list(range(1, TOTAL + 1))
    assert [seq for seq, line in enumerate(others, 1) if "body" not in line] == [POST]
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


def test_the_file_is_verified_without_server_or_configuration(robots: Line, exported: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.jsonl"
    shutil.move(exported, elsewhere)
    shutil.rmtree(robots.folder)
    first = read_lines(elsewhere)[0]
    assert robots.plain("group", "verify", "--file", str(elsewhere)) == 0
    assert robots.out.splitlines()[-1] == f"{TOTAL} entries hold, head is {first['head']}"
    assert first["key"]["publicKeyMultibase"] in robots.out
    assert "--key" in robots.out
    key = first["key"]["publicKeyMultibase"]
    assert robots.plain("group", "verify", "--file", str(elsewhere), "--key", key) == 0
    assert robots.out == f"{TOTAL} entries hold, head is {first['head']}\n"


def test_without_a_file_the_lines_are_printed(robots: Line, exported: Path) -> None:
    assert robots("group", "export", "robots") == 0
    assert robots.out.encode().splitlines()[1:] == exported.read_bytes().splitlines()[1:]
    assert robots.err == ""


def test_a_file_that_exists_is_left_alone(robots: Line, exported: Path) -> None:
    before = exported.read_bytes()
    assert robots("group", "export", "robots", "--output", str(exported)) == 2
    assert "exists already" in robots.err
    assert exported.read_bytes() == before


def test_an_entry_that_cannot_be_exported_leaves_no_file(robots: Line) -> None:
    write(robots.config, lambda tx: put(tx, 4, entry=b"{"))
    path = robots.folder / "x.jsonl"
    assert robots("group", "export", "robots", "--output", str(path)) == 2
    assert robots.err == "fedcorp: entry 4 of our copy is no JSON; `fedcorp group verify robots` says more.\n"
    assert not path.exists()


def test_what_is_wrong_in_the_copy_is_wrong_in_the_file(robots: Line) -> None:
    write(robots.config, changed_body)
    path = robots.folder / "x.jsonl"
    assert robots("group", "export", "robots", "--output", str(path)) == 0
    assert robots.plain("group", "verify", "--file", str(path)) == 1
    assert robots.err.startswith(f"fedcorp: entry {BAN}: its body is not the activity")


Lines = list[Any]


def with_key(lines: Lines) -> Lines:
    """Everything signed anew by somebody else, who puts their key into the first line: all of it fits."""
    other, previous = keys.generate(), ""
    for line in lines[1:]:
        line["entry"] = forge(line["entry"], other.ed25519_private, prevDigest=previous)
        previous = digest_without_proof(line["entry"])
    lines[0]["key"]["publicKeyMultibase"] = other.ed25519_public
    lines[0]["head"] = previous
    return lines


def edit(lines: Lines, seq: int, **values: Any) -> Lines:
    lines[seq]["entry"] |= values
    return lines


def cut_with_title(lines: Lines) -> Lines:
    """A file that was made when there were three entries looks the same."""
    return [lines[0] | {"entries": 3, "head": digest_without_proof(lines[3]["entry"])}, *lines[1:4]]


FILES: list[tuple[str, Callable[[Lines], Lines], int, str]] = [
    ("a changed entry", lambda lines: edit(lines, 3, objectType="Remove"), 3, "it was changed"),
    ("a changed last entry", lambda lines: edit(lines, TOTAL, signature=1), TOTAL, "it was changed"),
    ("a changed body", lambda lines: [*lines[:2], lines[2] | {"body": lines[3]["body"]}, *lines[3:]], 2, "its body"),
    ("a body that is none", lambda lines: [*lines[:2], lines[2] | {"body": [1]}, *lines[3:]], 2, "its body"),
    ("a removed entry", lambda lines: lines[:4] + lines[5:], 4, "entry 5 stands in its place"),
    ("a swapped pair", lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 3, "entry 4 stands in its place"),
    ("an entry twice", lambda lines: [*lines[:4], lines[3], *lines[4:]], 4, "entry 3 stands in its place"),
    ("a cut tail", lambda lines: lines[:4], 4, f"the file was made of {TOTAL} entries"),
    ("nothing but the title", lambda lines: lines[:1], 1, f"the file was made of {TOTAL} entries"),
    ("one too many", lambda lines: [lines[0] | {"entries": 7}, *lines[1:]], 8, "the file was made of 7 entries"),
    ("another head", lambda lines: [lines[0] | {"head": "zQm"}, *lines[1:]], TOTAL, "another head"),
    ("no object", lambda lines: [*lines[:3], [1], *lines[4:]], 3, "its line is no JSON object"),
    ("no entry", lambda lines: [*lines[:3], {"body": {}}, *lines[4:]], 3, "it is not an entry"),
]


@pytest.mark.parametrize(("tamper", "seq", "why"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_the_first_wrong_entry_of_a_file_is_named(
    robots: Line, exported: Path, tamper: Callable[[Lines], Lines], seq: int, why: str
) -> None:
    write_lines(exported, tamper(read_lines(exported)))
    assert robots.plain("group", "verify", "--file", str(exported)) == 1
    assert robots.err.startswith(f"fedcorp: entry {seq}: ")
    assert why in robots.err
    assert robots.err.count("\n") == 1


def test_a_forger_with_a_key_of_their_own_is_found_by_the_key_that_one_trusts(robots: Line, exported: Path) -> None:
    lines = read_lines(exported)
    trusted = lines[0]["key"]["publicKeyMultibase"]
    write_lines(exported, with_key(lines))
    assert robots.plain("group", "verify", "--file", str(exported)) == 0
    assert trusted not in robots.out
    assert robots.plain("group", "verify", "--file", str(exported), "--key", trusted) == 1
    assert "entry 1: the file names the key" in robots.err
    lines[0]["key"]["publicKeyMultibase"] = trusted
    write_lines(exported, lines)
    assert robots.plain("group", "verify", "--file", str(exported), "--key", trusted) == 1
    assert robots.err.startswith("fedcorp: entry 1: it was changed, or the group's key did not sign it")


def test_the_verifier_in_the_document_agrees(robots: Line, exported: Path) -> None:
    """Two programs, one answer: that of docs/ledger.md uses nothing of ours."""
    text = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    program = text.split("```python\n")[1].split("```")[0]
    lines = read_lines(exported)
    command = [sys.executable, "-I", "-c", program, str(exported), lines[0]["key"]["publicKeyMultibase"]]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == (f"{TOTAL} entries hold, head is {lines[0]['head']}\n", "")
    for _, tamper, seq, _ in FILES[:9]:
        write_lines(exported, tamper(orjson.loads(orjson.dumps(lines))))
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 1
        assert found.stderr.startswith(f"entry {seq}: "), found.stderr


def test_a_whole_tail_that_was_cut_off_with_its_title_cannot_be_seen(robots: Line, exported: Path) -> None:
    write_lines(exported, cut_with_title(read_lines(exported)))
    assert robots.plain("group", "verify", "--file", str(exported)) == 0
    assert robots.out.splitlines()[-1].startswith("3 entries hold, ")


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "no exported ledger"),
        (b"\x00\xff", "no exported ledger"),
        (b"[]\n", "no exported ledger"),
        (b'{"format":"x"}\n', "no exported ledger"),
        (b'{"format":"fedcorp-ledger","version":2}\n', "use a newer one"),
        (b'{"format":"fedcorp-ledger","version":1}\n', "lacks group, key"),
        (
            b'{"format":"fedcorp-ledger","version":1,"group":"g","head":"","entries":0,"key":{"id":"k",%s}}\n'
            % b'"publicKeyMultibase":"z4MX"',
            "no Ed25519 key",
        ),
        (
            b'{"format":"fedcorp-ledger","version":1,"group":"g","head":"","entries":0,"key":{"id":"k",%s}}\n'
            % b'"publicKeyMultibase":"z6Mk0"',
            "cannot be read",
        ),
    ],
)
def test_what_is_no_such_file_is_a_wrong_call(line: Line, content: bytes, hint: str) -> None:
    path = line.folder / "bad"
    path.write_bytes(content)
    assert line.plain("group", "verify", "--file", str(path)) == 2
    assert line.err.startswith(f"fedcorp: {path}: ")
    assert hint in line.err
    assert line.err.count("\n") == 1


# -- groups of other departments -------------------------------------------------------------------------------------


class Terminal:
    """The command line of a department of a story, beside its running server."""

    def __init__(self, department: Department, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = folder / f"{department.domain}.toml"
        url, key = department.db.url, department.db.site.config.storage.key
        self.path.write_text(f'domain = "{department.domain}"\n[storage]\ndatabase = "{url}"\nkey = "{key}"\n')
        self._capsys = capsys
        self.out = self.err = ""

    async def __call__(self, *words: str) -> int:
        code = await asyncio.to_thread(run, [*words, "-c", str(self.path)])
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.mark.anyio
async def test_the_copy_of_another_department_is_verified_like_the_original(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    company = Company(tmp_path)
    try:
        await tell(company, tmp_path, capsys)
    finally:
        await company.stop()


async def in_doubt(department: Department, group: Account) -> None:
    """Somebody has shown another entry than the last one."""

    def mark(tx: Tx) -> None:
        last = ledgers.find_entry(tx, group.id, ledgers.head(tx, group.id).seq)
        assert last is not None
        other = ledgers.read(last | {"objectType": "Delete", "object": "http://robots/d"})
        assert other is not None
        ledgers.mark_forked(tx, group, other, "sales.localhost")

    await department.db.write(mark)


async def tell(company: Company, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finance, hr = [await company.department(name) for name in ("finance", "hr")]
    await company.introduce(finance, hr)
    ann, bo, cy = await finance.person("ann"), await hr.person("bo"), await hr.person("cy")
    handle = await finance.group(ann, "robots")
    for member in (bo, cy):
        await member.follow(handle)
    await company.settle()
    await bo.publish(f"@{handle} hello")
    await company.settle()
    ours, copy = Terminal(finance, folder, capsys), Terminal(hr, folder, capsys)
    assert await ours("group", "verify", handle) == 0, ours.err
    holds = ours.out
    assert await copy("group", "verify", handle) == 0, copy.err
    assert copy.out == holds
    assert holds.startswith("4 entries hold, ")
    assert await copy("group", "rotate-keys", handle) == 2, "that is for where it lives"
    assert copy.err.startswith(f"fedcorp: @{handle} is no group of this department")
    assert await copy("group", "list") == 0
    assert copy.out.splitlines()[1].split() == [handle, "Robots", "open", "3", "4", "copy"]
    assert await copy("group", "export", handle, "--output", str(folder / "copy.jsonl")) == 0
    assert run(["group", "verify", "--file", str(folder / "copy.jsonl")]) == 0
    capsys.readouterr()

    def name(tx: Tx) -> Account:
        found = accounts.find_by_handle(tx, "robots", finance.domain)
        assert found is not None
        return found

    group = await hr.db.read(name)

    async def role(table: sa.Table, role: str, mine: "sa.ColumnElement[bool]") -> None:
        change = sa.update(table).where(table.c.group_id == group.id, mine).values(role=role)
        await hr.db.write(lambda tx: tx.conn.execute(change))

    assert await copy("group", "settle", "nobody") == 2
    assert "fedcorp group list" in copy.err
    assert await copy("group", "settle", handle) == 2
    assert copy.err == f"fedcorp: @{handle} is not in doubt: no two histories of it were seen here.\n"
    await in_doubt(hr, group)
    assert await copy("group", "verify", handle) == 1
    assert "`fedcorp group settle`" in copy.err
    assert await copy("group", "settle", handle) == 0, copy.err
    assert copy.out.startswith("Entry 4 here: Create ")
    assert "Entry 4 sales.localhost: Delete http://robots/d, " in copy.out
    assert copy.out.endswith(f"The copy of @{handle} is taken again; `fedcorp group list` shows when it is whole.\n")
    await company.settle()
    assert await copy("group", "verify", handle) == 0, copy.err
    assert await copy("audit") == 0
    assert "ledger.settle" in copy.out

    await in_doubt(finance, await finance.db.read(name))
    assert await ours("group", "verify", handle) == 1
    assert await ours("group", "settle", handle) == 0, ours.err
    assert ours.out.endswith(f"@{handle} is believed again. Departments whose copies differ do the same there.\n")
    assert await ours("group", "verify", handle) == 0, ours.err

    of_ann = affiliations.c.subject_uri == ann.account.uri
    await role(affiliations, "member", of_ann)
    assert await copy("group", "verify", handle) == 1
    assert ann.account.uri in copy.err
    assert "is member in the table affiliations, but admin by entry 1" in copy.err
    await role(affiliations, "admin", of_ann)
    await role(memberships_table, "admin", memberships_table.c.account_id == bo.account.id)
    assert await copy("group", "verify", handle) == 1
    assert f"@bo@{hr.domain}" in copy.err
    assert "is admin in the table memberships, but member by entry" in copy.err
    await role(memberships_table, "member", memberships_table.c.account_id == bo.account.id)

    company.network.cut.add(finance.domain)
    await cy.post(f"/api/v1/accounts/{group.id}/unfollow")
    assert await copy("group", "verify", handle) == 0, copy.err  # cy has left; the entry comes when finance is back
    await hr.db.write(ledgers.note_known, group.id, await hr.db.read(ledgers.head, group.id), 6)
    assert await copy("group", "verify", handle) == 0
    assert "has told of 6 entries; those after 4 have not come yet" in copy.out
    assert await copy("group", "list") == 0
    assert copy.out.splitlines()[1].endswith("copy, 2 entries are missing")


# -- new keys --------------------------------------------------------------------------------------------------------

CHANGE = TOTAL + 1


@pytest.fixture
def renewed(robots: Line) -> Line:
    """The group has changed to a new key and gone on: ten entries, the ninth is the change."""
    assert robots("group", "rotate-keys", "robots") == 0
    assert robots.out == f"@robots@{DOMAIN} signs with new keys.\n"

    def go_on(tx: Tx) -> None:
        while outbox.expand(tx):
            pass
        stewardship.change(tx, group_of(tx), person(tx, "ann"), Settings(purpose="Arms, legs and wheels"))
        tx.finish()
        while outbox.expand(tx):
            pass

    write(robots.config, go_on)
    return robots


@pytest.fixture
def renewed_file(renewed: Line) -> Path:
    path = renewed.folder / "renewed.jsonl"
    assert renewed("group", "export", "robots", "--output", str(path)) == 0
    return path


def published_key(line: Line) -> str:
    return write(line.config, lambda tx: accounts.signing_keys(tx, group_of(tx).id)["ed25519"].public)


def test_a_ledger_of_two_keys_holds_in_the_database_and_as_a_file(renewed: Line, renewed_file: Path) -> None:
    first, *lines = read_lines(renewed_file)
    assert renewed("group", "verify", "robots") == 0
    assert renewed.out == f"{CHANGE + 1} entries hold, head is {first['head']}\n"
    methods = [line["entry"]["proof"]["verificationMethod"] for line in lines]
    assert methods[:TOTAL] == [first["key"]["id"]] * TOTAL
    assert set(methods[TOTAL:]) == {methods[TOTAL]} != {first["key"]["id"]}
    text = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    program = text.split("```python\n")[1].split("```")[0]
    for trusted in (first["key"]["publicKeyMultibase"], published_key(renewed)):
        assert renewed.plain("group", "verify", "--file", str(renewed_file), "--key", trusted) == 0, renewed.err
        command = [sys.executable, "-I", "-c", program, str(renewed_file), trusted]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.stdout, found.stderr) == (f"{CHANGE + 1} entries hold, head is {first['head']}\n", "")
    another = keys.generate().ed25519_public
    assert renewed.plain("group", "verify", "--file", str(renewed_file), "--key", another) == 1
    assert "none that you trust has signed" in renewed.err
    found = subprocess.run(
        [sys.executable, "-I", "-c", program, str(renewed_file), another], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1


def without_body(lines: Lines) -> Lines:
    del lines[CHANGE]["body"]
    return lines


def with_another_key(lines: Lines) -> Lines:
    """Somebody who has neither key names their own in the change, and signs what follows."""
    mine = keys.generate()
    body = lines[CHANGE]["body"]
    body["object"]["publicKeyMultibase"] = mine.ed25519_public
    values = {"digestMultibase": digest_of(body)}
    lines[CHANGE]["entry"] = forge(lines[CHANGE]["entry"], mine.ed25519_private, **values)
    return lines


def with_own_change(lines: Lines) -> Lines:
    """The same, and they sign the change themselves."""
    mine = keys.generate()
    body = lines[CHANGE]["body"]
    body["object"]["publicKeyMultibase"] = mine.ed25519_public
    body = forge(body, mine.ed25519_private)
    lines[CHANGE]["body"] = body
    values = {"digestMultibase": digest_of(body)}
    lines[CHANGE]["entry"] = forge(lines[CHANGE]["entry"], mine.ed25519_private, **values)
    return lines


CHANGES: list[tuple[str, Callable[[Lines], Lines]]] = [
    ("without its body", without_body),
    ("to another key", with_another_key),
    ("to another key, signed with it", with_own_change),
]


@pytest.mark.parametrize("tamper", [row[1] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_change_that_the_last_key_did_not_sign_is_the_first_wrong_entry(
    renewed: Line, renewed_file: Path, tamper: Callable[[Lines], Lines]
) -> None:
    write_lines(renewed_file, tamper(read_lines(renewed_file)))
    assert renewed.plain("group", "verify", "--file", str(renewed_file)) == 1
    assert renewed.err.startswith(f"fedcorp: entry {CHANGE}: it is signed with another key than the group's"), (
        renewed.err
    )
    text = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    program = text.split("```python\n")[1].split("```")[0]
    command = [
        sys.executable,
        "-I",
        "-c",
        program,
        str(renewed_file),
        read_lines(renewed_file)[0]["key"]["publicKeyMultibase"],
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr.startswith(f"entry {CHANGE}: ")) == (1, True), found.stderr


def test_new_keys_wait_for_their_entry_until_a_server_runs(robots: Line) -> None:
    assert robots("group", "rotate-keys", "robots", "--stolen") == 0
    assert robots("group", "verify", "robots") == 0
    assert robots.out.startswith("The group publishes a newer key, ")
    assert f"{TOTAL} entries hold" in robots.out


def test_new_keys_are_for_groups_that_are_there_and_stand_in_the_audit(robots: Line) -> None:
    for name in ("nobody", "ann"):
        assert robots("group", "rotate-keys", name) == 2
        assert "fedcorp group list" in robots.err
    assert robots("group", "rotate-keys", "robots", "--stolen") == 0

    def noted(tx: Tx) -> list[tuple[str, str, str]]:
        act = audit.c.act == "group.rotate-keys"
        return [
            tuple(row) for row in tx.conn.execute(sa.select(audit.c.actor, audit.c.subject, audit.c.reason).where(act))
        ]

    group = write(robots.config, group_of)
    assert write(robots.config, noted) == [("command line", group.uri, "stolen")]


def test_ledgers_of_before_begin_with_the_key_that_the_group_published(robots: Line) -> None:
    def keys_of(tx: Tx) -> list[tuple[int, str]]:
        return [(key.since, key.id) for key in ledger_keys_of(tx, group_of(tx))]

    before = write(robots.config, keys_of)
    assert [since for since, _ in before] == [1]
    robots.go_back_to("0021")
    assert robots("group", "verify", "robots") == 0
    assert write(robots.config, keys_of) == before
