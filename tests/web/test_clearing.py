"""Pictures that nobody needs leave the disk; whatever a row still names stays, however old it is."""

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcorp.activitypub import upkeep
from fedcorp.app import Instance, create_app
from fedcorp.social import custom_emojis, images, kept_files, media
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import media as media_table
from fedcorp.web.entities.times import iso
from tests.films import film, needs_ffmpeg
from tests.web.club import GROUPS
from tests.web.instance import ORIGIN, Office, Person, picture

pytestmark = pytest.mark.anyio

UPDATE = "/api/v1/accounts/update_credentials"
DAY = 86_400


def key_of(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]


def on_disk(office: Office) -> set[str]:
    """The keys of all files."""
    return {path.stem for path in office.instance.config.media_folder.rglob("*") if path.is_file()}


async def opened(office: Office, url: str) -> int:
    """What somebody without a token is answered."""
    return (await office.anybody.http.get(url.removeprefix(ORIGIN))).status_code


async def later(office: Office, days: float = 2) -> None:
    office.clock.pass_(seconds=days * DAY)
    await office.settle()


def portraits(colour: str) -> dict[str, Any]:
    return {name: ("x.png", picture(colour), "image/png") for name in ("avatar", "header")}


async def portrayed(person: Person, path: str, colour: str) -> list[str]:
    """The addresses of new pictures of a profile or a group."""
    answer = (await person.ask("PATCH", path, files=portraits(colour))).json()
    shown = answer.get("account", answer)
    return [shown["avatar"], shown["header"]]


# -- profiles and groups ---------------------------------------------------------------------------------------------


async def test_a_replaced_picture_of_a_profile_goes_and_the_new_one_stays(office: Office, ann: Person) -> None:
    old, new = await portrayed(ann, UPDATE, "red"), await portrayed(ann, UPDATE, "blue")
    assert [await opened(office, url) for url in old] == [200, 200], "for whoever still shows it"
    await later(office)
    assert [await opened(office, url) for url in old] == [404, 404]
    assert [await opened(office, url) for url in new] == [200, 200]
    assert on_disk(office) == {key_of(url) for url in new}
    await later(office, 365)
    assert on_disk(office) == {key_of(url) for url in new}


async def test_a_picture_that_was_taken_off_a_profile_goes(office: Office, ann: Person) -> None:
    avatar, header = await portrayed(ann, UPDATE, "red")
    await ann.delete("/api/v1/profile/avatar")
    await later(office)
    assert (await opened(office, avatar), await opened(office, header)) == (404, 200)
    await ann.delete("/api/v1/profile/header")
    await later(office)
    assert (await opened(office, header), on_disk(office)) == (404, set())


async def test_pictures_of_a_group_go_with_their_successors_and_with_the_group(office: Office, ann: Person) -> None:
    path = f"{GROUPS}/{await office.group(ann, 'chess')}"
    old, new = await portrayed(ann, path, "red"), await portrayed(ann, path, "blue")
    await later(office)
    assert on_disk(office) == {key_of(url) for url in new}
    assert [await opened(office, url) for url in old] == [404, 404]
    await ann.delete(path)
    await later(office)
    assert on_disk(office) == set()


async def test_who_is_suspended_keeps_pictures_since_it_may_be_taken_back(
    office: Office, ann: Person, ben: Person
) -> None:
    shown = await portrayed(ben, UPDATE, "red")
    mo = await office.staff("mo")
    await mo.post(f"/api/v1/admin/accounts/{ben.id}/action", type="suspend")
    await later(office)
    await mo.post(f"/api/v1/admin/accounts/{ben.id}/unsuspend")
    seen = await ann.get(f"/api/v1/accounts/{ben.id}")
    assert [seen["avatar"], seen["header"]] == shown
    assert [await opened(office, url) for url in shown] == [200, 200]


# -- posts -----------------------------------------------------------------------------------------------------------


async def test_pictures_of_posts_stay_through_edits_until_the_post_is_deleted(office: Office, ann: Person) -> None:
    one, two = await ann.upload(description="one"), await ann.upload(description="two")
    made = await ann.publish("look", media_ids=[one["id"], two["id"]], reach="public")
    path = f"/api/v1/statuses/{made['id']}"
    await ann.put(path, status="look again")
    await later(office, 30)
    first, last = await ann.get(f"{path}/history")
    shown = [item["url"] for item in first["media_attachments"]]
    assert shown == [item["url"] for item in last["media_attachments"]]
    assert [await opened(office, url) for url in shown] == [200, 200]
    await ann.put(path, status="one is enough", media_ids=[two["id"]])
    await later(office)
    versions = await ann.get(f"{path}/history")
    assert [[item["id"] for item in version["media_attachments"]] for version in versions] == [[two["id"]]] * 3
    assert [await opened(office, url) for url in shown] == [404, 200]
    await ann.delete(path)
    await later(office)
    assert on_disk(office) == set()


async def test_what_waits_for_its_time_keeps_its_picture(office: Office, ann: Person) -> None:
    await office.settle()
    uploaded = await ann.upload()
    at = iso(office.clock.ms() + 10 * DAY * 1000)
    when = await ann.post("/api/v1/statuses", status="soon", media_ids=[uploaded["id"]], scheduled_at=at)
    await later(office, 5)
    assert key_of(uploaded["url"]) in on_disk(office)
    await ann.delete(f"/api/v1/scheduled_statuses/{when['id']}")
    await later(office)
    assert on_disk(office) == set()


@needs_ffmpeg
async def test_a_film_that_is_still_to_be_made_keeps_what_was_sent(office: Office, ann: Person) -> None:
    sent = await ann.ask("POST", "/api/v2/media", files={"file": ("x.mp4", film(), "video/mp4")})
    assert sent.status_code == 202
    (raw,) = on_disk(office)
    assert await office.db.read(lambda tx: _named(tx, raw)) == {raw}


def _named(tx: Tx, key: str) -> set[str]:
    return kept_files.named(tx, [key, "0" * 32])


# -- uploads ---------------------------------------------------------------------------------------------------------


async def test_a_file_whose_row_is_not_written_yet_has_a_day(office: Office) -> None:
    office.instance.files.put(b"under way", suffix=".png", key="u" * 32)
    await office.settle()
    assert on_disk(office) == {"u" * 32}
    await later(office, 0.9)
    assert on_disk(office) == {"u" * 32}
    await later(office, 0.2)
    assert on_disk(office) == set()


async def test_an_upload_that_is_posted_at_the_last_moment_keeps_its_file(office: Office, ann: Person) -> None:
    uploaded = await ann.upload()
    office.clock.pass_(seconds=2 * DAY)
    before = office.clock.ms() - DAY * 1000
    (found,) = await office.db.read(media.abandoned, before)
    made = await ann.publish("at last", media_ids=[uploaded["id"]], reach="public")
    assert await office.db.write(media.withdraw, before, [found.id]) == []
    await later(office)
    assert await opened(office, made["media_attachments"][0]["url"]) == 200


async def test_an_upload_that_is_being_removed_is_closed_and_the_next_round_ends_it(
    office: Office, ann: Person
) -> None:
    """As if the process had died between the commit and the removal."""
    uploaded = await ann.upload()
    office.clock.pass_(seconds=2 * DAY)
    (gone,) = await office.db.write(media.withdraw, office.clock.ms() - DAY * 1000, [int(uploaded["id"])])
    assert gone.keys[0] == key_of(uploaded["url"])
    await ann.refused(422, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": [uploaded["id"]]})
    assert await opened(office, uploaded["url"].partition("?")[0]) == 404, "no post made it public"
    await office.settle()
    assert on_disk(office) == set()
    assert await office.db.read(media.find, gone.id) is None


# -- the sweep -------------------------------------------------------------------------------------------------------


async def test_everything_that_a_row_names_stays(office: Office, ann: Person) -> None:
    """One file for each column that may hold a key."""
    await portrayed(ann, UPDATE, "red")
    await ann.publish("look", media_ids=[(await ann.upload())["id"]])
    emoji = images.emoji(picture())
    for key in ("e" * 32, "f" * 32):
        office.instance.files.put(emoji.data, suffix=".png", key=key)
    await office.db.write(custom_emojis.add, "party", key="e" * 32, still_key="f" * 32, mime=emoji.mime)
    before = on_disk(office)
    assert len(before) == 6
    await later(office, 100)
    assert on_disk(office) == before


async def test_a_sweep_goes_on_where_another_process_stopped(
    office: Office, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {key_of(url) for url in await portrayed(ann, UPDATE, "red")}
    for number in range(10):  # in shards behind those of keys of sixteen digits
        office.instance.files.put(b"x", suffix=".png", key=f"{'x' * 28}zz{number:02}")
    monkeypatch.setattr(upkeep, "FILES", 1)
    other = create_app(office.instance.config, clock=office.clock, transport=office.instance.network, worker=False)
    other.db.start()
    office.clock.pass_(seconds=2 * DAY)
    left = []
    for turn in range(12):
        worker: Instance = (office.instance, other)[turn % 2]
        await upkeep.Upkeep(worker.db, office.clock, worker.files).run()
        left.append(len(on_disk(office)))
    other.db.close()
    assert left == [12, 12, *range(11, 1, -1)], "a piece in each round"
    assert on_disk(office) == kept


async def test_between_two_sweeps_it_rests(office: Office) -> None:
    await later(office)
    office.instance.files.put(b"x", suffix=".png", key="u" * 32)
    made_old(office, "u" * 32)
    await later(office, 0.5 / 24)
    assert on_disk(office) == {"u" * 32}
    await later(office, 0.6 / 24)
    assert on_disk(office) == set()


def made_old(office: Office, key: str, days: float = 1.5) -> None:
    """As if the file had been written before; for the clock of the office."""
    at = office.clock.ms() / 1000 - days * DAY
    os.utime(office.instance.files.path(key), (at, at))


async def test_files_that_are_older_than_the_department_are_not_its_own(office: Office) -> None:
    """Whoever starts a new department on an old folder, or with the wrong database, loses nothing."""
    office.instance.files.put(b"x", suffix=".png", key="u" * 32)
    made_old(office, "u" * 32, 30)
    await later(office, 60)
    assert on_disk(office) == {"u" * 32}


async def test_what_dead_processes_left_half_done_goes(office: Office, ann: Person) -> None:
    await portrayed(ann, UPDATE, "red")
    folder = office.instance.config.media_folder
    shard = next(path for path in folder.glob("??/??"))
    half, strange, room = shard / ".part-x1", shard / "README.TXT", folder / ".work" / "7"
    room.mkdir(parents=True)
    for path in (half, strange, room / "film.mp4", folder / "notes"):
        path.write_bytes(b"x")
    await office.settle()
    assert _there(half, strange, room) == [True] * 3
    await later(office)
    assert _there(half, strange, room, folder / "notes") == [False, True, False, True], "what is not ours stays"


def _there(*paths: Path) -> list[bool]:
    return [path.exists() for path in paths]


async def test_no_row_outlives_its_file(office: Office, ann: Person) -> None:
    """Whatever the sweep does, each key in the database leads to a file."""
    await portrayed(ann, UPDATE, "red")
    await ann.upload()
    await ann.publish("look", media_ids=[(await ann.upload())["id"]])
    await later(office)
    assert await office.db.read(_keys) == on_disk(office)


def _keys(tx: Tx) -> set[str]:
    rows = [
        *tx.conn.execute(sa.select(accounts_table.c.avatar, accounts_table.c.header)),
        *tx.conn.execute(sa.select(media_table.c.key, media_table.c.preview_key)),
    ]
    return {key for row in rows for key in row if key}
