"""What the database keeps secret is of no use without the key that lies outside of it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcorp import keys
from fedcorp.clock import Clock
from fedcorp.config import Config, Storage
from fedcorp.errors import ConfigError
from fedcorp.social import accounts, effects
from fedcorp.storage import schema, sealed
from fedcorp.storage.database import Database
from fedcorp.storage.sealed import Keyring
from fedcorp.storage.tables import keys as keys_table
from fedcorp.storage.tables import meta, metadata
from tests.databases import make_config

CLOCK = Clock()
ONE, OTHER = b"1" * 32, b"2" * 32
PAIR = keys.generate()


def ring(*keys_: bytes) -> Keyring:
    return Keyring(keys_, "here")


@given(st.text(), st.text(), st.text())
def test_what_was_sealed_opens_as_the_secret_of_the_same_alone(text: str, of: str, other: str) -> None:
    kept = ring(ONE).seal(text, of, CLOCK)
    assert ring(ONE).open(kept, of) == ring(OTHER, ONE).open(kept, of) == text
    if other != of:
        with pytest.raises(ConfigError, match="put there from elsewhere"):
            ring(ONE).open(kept, other)
    with pytest.raises(ConfigError, match="with a key that here does not hold"):
        ring(OTHER).open(kept, of)


@given(st.data())
def test_nothing_that_was_changed_opens(data: st.DataObject) -> None:
    kept = ring(ONE).seal("a secret", "ann", CLOCK)
    at = data.draw(st.integers(len(sealed.MARK) + 9, len(kept) - 1))
    letter = data.draw(
        st.characters(codec="ascii").filter(lambda new: new not in (kept[at], *"+/"))
    )  # these stand for - and _
    with pytest.raises(ConfigError):
        ring(ONE).open(kept[:at] + letter + kept[at + 1 :], "ann")


def test_two_sealings_of_one_text_differ() -> None:
    assert ring(ONE).seal("same", "ann", CLOCK) != ring(ONE).seal("same", "ann", CLOCK)


def at(folder: Path, key: str = "secret.key") -> Config:
    return Config("finance.localhost", storage=Storage(key=key), folder=folder)


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        sealed.load(at(tmp_path))
    names: list[str] = []
    makers = [
        threading.Thread(target=lambda: names.append(sealed.load(at(tmp_path), make=CLOCK).name)) for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(names) == 8
    assert set(names) == {sealed.load(at(tmp_path)).name}
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "abc", "g" * 64, f"{'0' * 64} and more", "0" * 63, "0" * 65]
)
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text)
    with pytest.raises(ConfigError, match=r"secret\.key must hold keys of 64 hexadecimal digits"):
        sealed.load(at(tmp_path), make=CLOCK)


def test_keys_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="the variable FEDCORP_KEY must hold"):
        sealed.load(at(tmp_path, "env:FEDCORP_KEY"), make=CLOCK)
    monkeypatch.setenv("FEDCORP_KEY", f"{OTHER.hex()} {ONE.hex()}")
    found = sealed.load(at(tmp_path, "env:FEDCORP_KEY"))
    assert found.name == ring(OTHER).name
    assert found.open(ring(ONE).seal("older", "ann", CLOCK), "ann") == "older"
    assert not list(tmp_path.iterdir())


# -- in a database ---------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path)


@pytest.fixture
def db(config: Config) -> Iterator[Database]:
    database = Database(config, CLOCK, effects.apply)
    database.start()
    yield database
    database.close()


def started(config: Config) -> Database:
    database = Database(config, CLOCK, effects.apply)
    try:
        schema.upgrade(database.engine, config, CLOCK)
        database.start()
    except BaseException:
        database.close()
        raise
    return database


def rows(db: Database) -> str:
    with db.engine.connect() as conn:
        found = repr([conn.execute(sa.select(table)).all() for table in metadata.sorted_tables])
        conn.rollback()
    return found


@pytest.mark.anyio
async def test_the_rows_alone_sign_nothing(db: Database) -> None:
    actor = await db.write(accounts.create_instance_actor, PAIR)
    held = await db.read(accounts.signing_keys, actor.id)
    assert held["rsa"].private == PAIR.rsa_private
    assert held["ed25519"].private == PAIR.ed25519_private
    everything = rows(db)
    assert "PUBLIC KEY" in everything
    assert "PRIVATE" not in everything
    assert db.site.secret.hex() not in everything
    assert "PRIVATE" in db.site.vapid


@pytest.mark.anyio
async def test_a_key_in_another_row_signs_nothing(db: Database) -> None:
    actor = await db.write(accounts.create_instance_actor, PAIR)
    ann = await db.write(accounts.create_local, "ann", keys.generate())
    theirs = sa.select(keys_table.c.private).where(keys_table.c.account_id == actor.id, keys_table.c.kind == "rsa")
    mine = sa.update(keys_table).where(keys_table.c.account_id == ann.id, keys_table.c.kind == "rsa")
    await db.write(lambda tx: tx.conn.execute(mine.values(private=theirs.scalar_subquery())))
    with pytest.raises(ConfigError, match="put there from elsewhere"):
        await db.read(accounts.signing_keys, ann.id)


@pytest.mark.anyio
async def test_what_an_older_version_kept_open_is_sealed_at_the_next_start(db: Database, config: Config) -> None:
    actor = await db.write(accounts.create_instance_actor, PAIR)
    secret, vapid = db.site.secret, db.site.vapid
    with db.engine.connect() as conn:
        for kind in ("rsa", "ed25519"):
            change = sa.update(keys_table).where(keys_table.c.kind == kind)
            conn.execute(change.values(private=getattr(PAIR, f"{kind}_private")))
        conn.execute(sa.update(meta).where(meta.c.key == "secret").values(value=secret.hex()))
        conn.execute(sa.update(meta).where(meta.c.key == "vapid").values(value=vapid))
        conn.execute(sa.delete(meta).where(meta.c.key == schema.SEALED_WITH))
        conn.commit()
    assert "PRIVATE" in rows(db)
    db.close()
    unsealed = Database(config, CLOCK, effects.apply)
    with pytest.raises(ConfigError, match="not sealed; restart"):
        unsealed.start()
    unsealed.close()
    again = started(config)
    assert "PRIVATE" not in rows(again)
    assert (again.site.secret, again.site.vapid) == (secret, vapid)
    assert (await again.read(accounts.signing_keys, actor.id))["rsa"].private == PAIR.rsa_private
    again.close()


async def written_meanwhile(config: Config, file: Path, old: str) -> int:
    """One process seals anew with a new key while another goes on with the old one; an account that the second made."""
    file.write_text(f"{old}\n{OTHER.hex()}\n")
    late = started(config)
    file.write_text(f"{OTHER.hex()}\n{old}\n")
    started(config).close()
    account = await late.write(accounts.create_local, "late", keys.generate())
    late.close()
    return account.id


@pytest.mark.anyio
async def test_a_new_key_takes_over_and_the_old_one_can_go(db: Database, config: Config, tmp_path: Path) -> None:
    actor = await db.write(accounts.create_instance_actor, PAIR)
    secret = db.site.secret
    file = tmp_path / "another.key"
    old = Path(config.storage.key).read_text().split()[-1]
    moved = replace(config, storage=replace(config.storage, key=str(file)))
    db.close()
    another = await written_meanwhile(moved, file, old)
    for text in (f"{OTHER.hex()}\n{old}\n", f"# the new one\n{OTHER.hex()}\n"):
        file.write_text(text)
        again = started(moved)
        assert again.site.secret == secret
        assert (await again.read(accounts.signing_keys, actor.id))["ed25519"].private == PAIR.ed25519_private
        assert len(await again.read(accounts.signing_keys, another)) == 2
        again.close()
    file.write_text(ONE.hex())
    with pytest.raises(ConfigError, match="does not hold"):
        started(moved)
    file.unlink()
    with pytest.raises(ConfigError, match="does not exist"):
        started(moved)
    assert not file.exists(), "no key is made where one was lost"
