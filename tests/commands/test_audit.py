"""`fedcorp audit`: what was done is shown with who, whom and why, oldest first, and can be narrowed."""

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
