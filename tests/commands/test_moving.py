"""`fedcorp account alias` and `account move`."""

from tests.commands.conftest import Line


def test_aliases_are_set_shown_and_taken_away(line: Line) -> None:
    for name in ("ann", "ben"):
        assert line("account", "create", name) == 0
    assert line("account", "alias", "ann") == 0
    assert "no other names" in line.out
    assert line("account", "alias", "ann", "@ben") == 0
    assert "/u/" in line.out
    assert line("account", "alias", "ann", "ann") == 2
    assert "itself" in line.err
    assert line("account", "alias", "nobody") == 2
    assert line("account", "alias", "ann", "ben@nowhere.example.com") == 2
    assert "peer" in line.err
    assert line("account", "alias", "ann", "--none") == 0
    assert "no other names" in line.out


def test_a_move_needs_the_word_of_the_new_account(line: Line) -> None:
    for name in ("ann", "ben"):
        line("account", "create", name)
    assert line("account", "move", "ann", "ben") == 2
    assert "alias" in line.err
    line("account", "alias", "ben", "ann")
    assert line("account", "move", "ann", "ben") == 0
    assert "moved" in line.out
    assert line("account", "move", "ann", "ben") == 2
    assert "seven days" in line.err
    assert line("account", "move", "ann", "--stay") == 0
    assert line("account", "move", "ann") == 2
    assert line("account", "move", "ann", "ben", "--stay") == 2
