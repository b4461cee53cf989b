"""The command line: contract names, one line for every error, exit codes."""

import asyncio
import sqlite3
import stat
from contextlib import closing

import pytest

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.commands.opening import opened
from fedcorp.company import peers
from fedcorp.company.peers import Peer
from fedcorp.config import Config
from fedcorp.social import accounts, applications, memberships, passwords
from fedcorp.storage.database import Tx
from tests.commands.conftest import DOMAIN, Change, Line


def ask(config: Config, work: object, *values: object, writes: bool = False) -> object:
    async def main() -> object:
        async with opened(config, Clock()) as db:
            return await (db.write if writes else db.read)(work, *values)  # type: ignore[arg-type]

    return asyncio.run(main())


def test_the_server_is_called_by_its_host(line: Line, sql: Change) -> None:
    def name() -> list[str]:
        with closing(sqlite3.connect(line.folder / "fedcorp.db")) as connection:
            return [row[0] for row in connection.execute("SELECT username FROM accounts WHERE kind = 'service'")]

    assert name() == ["finance.localhost"], "GoToSocial takes a name with a port for a link"
    sql("UPDATE accounts SET username = domain, username_key = domain WHERE kind = 'service'")
    line.go_back_to("0020")
    assert line("account", "create", "ann", "--password", "long enough to be one") == 0
    assert name() == ["finance.localhost"], "what was made before is renamed"


def test_init_writes_a_configuration_that_fits_this_machine(line: Line) -> None:
    config = line.config
    assert (config.domain, config.name, config.server.port) == (DOMAIN, "Finance", 8931)
    assert config.origin == f"http://{DOMAIN}"
    assert config.federation.networks == ("127.0.0.0/8", "::1/128")
    actor = ask(config, accounts.instance_actor)
    assert isinstance(actor, accounts.Account)
    assert set(ask(config, accounts.signing_keys, actor.id)) == {"rsa", "ed25519"}  # type: ignore[call-overload]


def test_init_keeps_the_folder_from_others(made: object) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700  # type: ignore[attr-defined]


def test_init_refuses_to_overwrite(line: Line) -> None:
    assert line.plain("init", str(line.folder), "--domain", DOMAIN, "--name", "Finance") == 2
    assert "exists already" in line.err
    line.path.unlink()
    assert line.plain("init", str(line.folder), "--domain", DOMAIN, "--name", "Finance") == 2
    assert "fedcorp.db exists" in line.err


def test_init_takes_names_and_addresses_as_they_are(line: Line) -> None:
    other = line.folder / "other"
    name = 'R&D "ünï" \\ [x] 💡'
    assert line.plain("init", str(other), "--domain", "rd.example.com", "--name", name) == 0
    assert configuration.load(other / "config.toml").name == name
    assert configuration.load(other / "config.toml").federation.networks == ()
    assert line.plain("init", str(other / "x"), "--domain", "rd.example.com/x", "--name", "x") == 2
    assert not (other / "x").exists()


def test_account_is_made_with_a_password_that_is_shown_once(line: Line) -> None:
    assert line("account", "create", "ann") == 0
    password = line.out.strip().rpartition(" ")[2]
    found = ask(line.config, accounts.find_login, "ann")
    assert isinstance(found, tuple)
    assert passwords.is_password(password, found[1])


@pytest.mark.parametrize("sign_out", [False, True])
def test_a_new_password_ends_browsers_and_on_wish_apps(line: Line, sign_out: bool) -> None:
    assert line("account", "create", "ann", "--password", "long enough") == 0
    assert line("token", "create", "ann", "--scopes", "read") == 0
    token = line.out.strip()
    owner = ask(line.config, accounts.find_local, "ann")
    assert isinstance(owner, accounts.Account)
    session = ask(line.config, applications.start_session, owner.id, writes=True)
    assert isinstance(session, str)
    assert line("account", "password", "ann", *(["--sign-out"] if sign_out else [])) == 0
    password = line.out.strip().rpartition(" ")[2]
    found = ask(line.config, accounts.find_login, "ann")
    assert isinstance(found, tuple)
    assert passwords.is_password(password, found[1])
    assert not passwords.is_password("long enough", found[1])
    assert ask(line.config, applications.find_session, session) is None
    assert (ask(line.config, applications.find_token, token) is None) == sign_out
    assert line("account", "password", "nobody") == 2
    assert "nobody called" in line.err


def test_account_takes_what_it_is_given(line: Line) -> None:
    words = ("--email", "b@example.com", "--password", "long enough", "--role", "admin")
    assert line("account", "create", "bob", *words) == 0
    assert "assword" not in line.out
    found = ask(line.config, accounts.find_login, "B@example.com")
    assert isinstance(found, tuple)
    assert ask(line.config, accounts.role_of, found[0].id) == "admin"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("account", "create", "Ann!"), "a-z"),
        (("account", "create", "admin"), "reserved"),
        (("account", "create", "eve", "--password", "short"), "8 to"),
        (("account", "password", "eve", "--password", "short"), "8 to"),
        (("account", "create", "eve", "--role", "king"), "moderator"),
        (("token", "create", "nobody"), "fedcorp account create nobody"),
        (("group", "create", "g", "--title", "G", "--owner", "nobody"), "nobody"),
        (("peer", "add", "https://hr.example.com"), "host name"),
        (("peer", "add", "hr.example.com", "--tier", "friend"), "department or partner"),
        (("peer", "add", DOMAIN), "itself"),
        (("peer", "remove", "hr.example.com"), "peer list"),
        (("serve", "--port", "99999"), "--help"),
        (("announce",), "--withdraw"),
        (("announce", "x", "--list"), "--withdraw"),
        (("announce", " "), "1 to"),
        (("announce", "x", "--until", "soon"), "like 2026"),
        (("announce", "x", "--until", "2020-01-01"), "ahead"),
        (("announce", "x", "--starts", "2999-02-01", "--until", "2999-01-01"), "ends after"),
        (("announce", "x", "--all-day"), "a start or an end"),
        (("announce", "--withdraw", "7"), "announce --list"),
    ],
)
def test_errors_are_one_line_with_a_cure(line: Line, words: tuple[str, ...], hint: str) -> None:
    assert line(*words) == 2
    assert line.err.count("\n") == 1
    assert hint in line.err


@pytest.mark.parametrize("words", [("peer",), ("peer", "add"), ("dance",), ("init", "x")])
def test_wrong_usage_is_one_line(line: Line, words: tuple[str, ...]) -> None:
    assert line.plain(*words) == 2
    assert line.err.count("\n") == 1
    assert "--help" in line.err


@pytest.mark.parametrize(
    "words",
    [
        *(
            "",
            "init",
            "serve",
            "work",
            "doctor",
            "demo",
            "account",
            "account create",
            "account password",
            "token create",
        ),
        *("announce", "group create", "peer add", "peer list", "peer remove"),
    ],
)
def test_everything_has_help(line: Line, words: str) -> None:
    assert line.plain(*words.split(), "--help") == 0
    assert "Usage" in line.out


def test_configuration_that_cannot_be_used(line: Line) -> None:
    assert line.plain("peer", "list", "-c", str(line.folder / "none.toml")) == 2
    assert "fedcorp init" in line.err
    line.path.write_text('domain = "a.localhost"\nnmae = "x"\n')
    assert line("peer", "list") == 2
    assert "did you mean `name`" in line.err


def test_missing_database_is_not_made_anew(line: Line) -> None:
    (line.folder / "fedcorp.db").unlink()
    assert line("account", "create", "ann") == 2
    assert "there is no database" in line.err
    assert not (line.folder / "fedcorp.db").exists()


def test_token_stands_alone_on_stdout(line: Line) -> None:
    assert line("account", "create", "ann", "--password", "long enough") == 0
    assert line("token", "create", "ann", "--scopes", "read write follow push") == 0
    found = ask(line.config, applications.find_token, line.out.removesuffix("\n"))
    assert isinstance(found, applications.Token)
    assert found.scopes == {"read", "write", "follow", "push"}


def test_token_of_unknown_scopes_is_refused(line: Line) -> None:
    line("account", "create", "ann", "--password", "long enough")
    assert line("token", "create", "ann", "--scopes", "everything") == 2


def test_token_may_have_every_scope_that_exists(line: Line) -> None:
    line("account", "create", "ann", "--password", "long enough")
    assert line("token", "create", "ann", "--scopes", " ".join(applications.SCOPES)) == 0
    found = ask(line.config, applications.find_token, line.out.strip())
    assert isinstance(found, applications.Token)
    assert found.scopes == applications.SCOPES


def test_group_has_its_owner(line: Line) -> None:
    line("account", "create", "ann", "--password", "long enough")
    assert line("group", "create", "python", "--title", "Python", "--preset", "request", "--owner", "ann") == 0

    def role(tx: Tx) -> str | None:
        group, owner = accounts.find_local(tx, "python"), accounts.find_local(tx, "ann")
        assert group is not None
        assert owner is not None
        return memberships.role_of(tx, group.id, owner.id)

    assert ask(line.config, role) == "admin"


def test_peers_come_and_go(line: Line) -> None:
    assert line("peer", "list") == 0
    assert "no peers" in line.out
    assert line("peer", "add", "a-rather-long-name-of-a-server.example.com", "--tier", "partner") == 0
    assert line("peer", "list") == 0
    assert line.out.splitlines()[1].split()[:4] == ["a-rather-long-name-of-a-server.example.com", "partner", "new", "0"]
    assert line("peer", "remove", "a-rather-long-name-of-a-server.example.com") == 0
    found = ask(line.config, peers.listing)
    assert found == []


def test_peer_list_tells_what_waits_and_what_failed(line: Line, sql: object) -> None:
    line("peer", "add", "hr.example.com")
    sql("UPDATE peers SET next_seq = 8, cursor = 2, fail_count = 3, last_error = 'HTTP 503', clock_skew_ms = 7200000")  # type: ignore[operator]
    assert line("peer", "list") == 0
    for words in ("failing (3x", " 5 ", "HTTP 503", "2 h fast", "never"):
        assert words in line.out
    found = ask(line.config, peers.listing)
    assert isinstance(found, list)
    assert isinstance(found[0], Peer)


def test_newer_database_is_left_alone(line: Line, sql: object) -> None:
    sql("UPDATE alembic_version SET version_num = '9999'")  # type: ignore[operator]
    assert line("account", "create", "ann") == 2
    assert "newer version" in line.err
