"""`fedcorp audit`: what was done is shown with who, whom and why, oldest first, and can be narrowed."""

import sqlite3

from tests.commands.conftest import Line


def test_what_was_done_is_shown(line: Line) -> None:
    assert line("audit") == 0
    assert "Nothing" in line.out
    assert line("peer", "add", "hr.localhost", "--tier", "partner") == 0
    assert line("peer", "remove", "hr.localhost") == 0
    assert line("audit") == 0
    added, removed = [row.split() for row in line.out.splitlines() if "hr.localhost" in row]
    assert added[3:] == ["command", "line", "peer.add", "hr.localhost", "done", "partner"]
    assert removed[3:] == ["command", "line", "peer.remove", "hr.localhost", "done"]
    assert line("audit", "--last", "1") == 0
    assert "peer.add" not in line.out
    assert line("audit", "--act", "peer.a", "--subject", "hr.localhost", "--actor", "command line") == 0
    assert "peer.remove" not in line.out
    assert line("audit", "--subject", "sales.localhost") == 0
    assert "Nothing" in line.out


def test_what_the_command_line_did_for_people_is_kept_without_what_is_secret(line: Line) -> None:
    assert line("account", "create", "ann", "--password", "long enough to be one", "--role", "moderator") == 0
    assert line("account", "password", "ann", "--password", "another that is long", "--sign-out") == 0
    assert line("account", "password", "ann", "--password", "a third that is long") == 0
    assert line("account", "rotate-keys", "ann", "--stolen") == 0
    assert line("account", "rotate-keys", "--server") == 0
    assert line("token", "create", "ann", "--scopes", "read push") == 0
    token = line.out.strip()

    kept = _entries(line)
    person = kept[0][1]
    assert [(act, reason) for act, _, reason in kept] == [
        ("account.create", "moderator"),
        ("account.password", "every app signed out"),
        ("account.password", ""),
        ("account.rotate-keys", "stolen"),
        ("account.rotate-keys", ""),
        ("token.create", "read push"),
    ]
    assert {subject for act, subject, _ in kept if act != "account.rotate-keys"} == {person}
    assert kept[4][1] != person
    text = repr(kept)
    assert token not in text
    assert "long" not in text


def test_what_was_refused_leaves_no_entry(line: Line) -> None:
    assert line("account", "create", "ann", "--password", "long enough to be one") == 0
    assert line("account", "create", "ann", "--password", "long enough to be one") != 0
    assert line("account", "password", "nobody", "--password", "long enough to be one") != 0
    assert line("token", "create", "ann", "--scopes", "everything") != 0
    assert [act for act, _, _ in _entries(line)] == ["account.create"]


def _entries(line: Line) -> list[tuple[str, str, str]]:
    """(act, subject, reason), oldest first; all of them by the command line."""
    with sqlite3.connect(line.folder / "fedcorp.db") as connection:
        rows = connection.execute("SELECT actor, act, subject, reason FROM audit ORDER BY seq").fetchall()
    connection.close()
    assert {actor for actor, *_ in rows} == {"command line"}
    return [(act, subject, reason) for _, act, subject, reason in rows]
