"""Announcements: everybody's until their time is over, put away by each for themselves, with emoji below them."""

from typing import Any

import pytest

from fedcorp.errors import FedcorpError
from fedcorp.social import announcements, custom_emojis
from fedcorp.social.emoji import is_emoji
from tests.web.instance import Office, Person
from tests.web.test_custom_emojis import add

pytestmark = pytest.mark.anyio
PATH = "/api/v1/announcements"
HEART, WAVE = "\u2764\ufe0f", "\U0001f44b\U0001f3fd"


async def announce(office: Office, text: str, **how: Any) -> str:
    """What the administrator announces; its id."""
    return str((await office.db.write(announcements.create, text, **how)).id)


async def test_everybody_reads_it_until_its_time_is_over(office: Office, ann: Person) -> None:
    now = office.clock.ms()
    first = await announce(office, "We <move>\n\nSee https://example.com #Move", starts_at=now, ends_at=now + 60_000)
    second = await announce(office, "for ever")
    shown, other = await ann.get(PATH)
    assert (shown["id"], other["id"]) == (first, second)
    assert shown["content"].startswith("<p>We &lt;move&gt;</p><p>See <a href=")
    assert [tag["name"] for tag in shown["tags"]] == ["Move"]
    assert (shown["read"], shown["all_day"], shown["reactions"]) == (False, False, [])
    assert (shown["starts_at"] is None, other["ends_at"]) == (False, None)
    office.clock.pass_(seconds=60)
    assert await ann.ids(PATH) == [second]
    for method, path in (("POST", "dismiss"), ("PUT", f"reactions/{HEART}"), ("DELETE", f"reactions/{HEART}")):
        await ann.refused(404, method, f"{PATH}/{first}/{path}")


async def test_each_puts_it_away_for_themselves(office: Office, ann: Person, ben: Person) -> None:
    id_ = await announce(office, "news")
    for _ in range(2):
        await ann.post(f"{PATH}/{id_}/dismiss")
    assert await ann.get(PATH) == []
    (kept,) = await ann.get(PATH, with_dismissed="true")
    assert (kept["id"], kept["read"]) == (id_, True)
    (other,) = await ben.get(PATH)
    assert other["read"] is False
    await ann.refused(404, "POST", f"{PATH}/1/dismiss")


async def test_emoji_are_counted(office: Office, ann: Person, ben: Person) -> None:
    id_, other = await announce(office, "news"), await announce(office, "more")
    for who, name in ((ann, HEART), (ann, HEART), (ben, HEART), (ben, WAVE)):
        await who.put(f"{PATH}/{id_}/reactions/{name}")
    shown = {item["id"]: item["reactions"] for item in await ann.get(PATH)}
    assert shown == {
        id_: [{"name": HEART, "count": 2, "me": True}, {"name": WAVE, "count": 1, "me": False}],
        other: [],
    }
    for _ in range(2):
        await ann.delete(f"{PATH}/{id_}/reactions/{HEART}")
    assert (await ann.get(PATH))[0]["reactions"][0] == {"name": HEART, "count": 1, "me": False}
    await ann.refused(404, "PUT", f"{PATH}/1/reactions/{HEART}")


async def test_emoji_of_the_department_are_counted_too(office: Office, ann: Person, ben: Person) -> None:
    await add(office, "party")
    id_ = await announce(office, "we moved :party:")
    for who, name in ((ann, "party"), (ben, ":party:")):
        await who.put(f"{PATH}/{id_}/reactions/{name}")
    (shown,) = await ann.get(PATH)
    (picker,) = await ann.get("/api/v1/custom_emojis")
    assert [item["shortcode"] for item in shown["emojis"]] == ["party"]
    pictures = {name: picker[name] for name in ("url", "static_url")}
    assert shown["reactions"] == [{"name": "party", "count": 2, "me": True, **pictures}]
    await ann.delete(f"{PATH}/{id_}/reactions/party")
    assert (await ann.get(PATH))[0]["reactions"] == [{"name": "party", "count": 1, "me": False, **pictures}]
    await ann.refused(422, "PUT", f"{PATH}/{id_}/reactions/party@elsewhere.example")
    await office.db.write(custom_emojis.remove, "party")
    assert (await ben.get(PATH))[0]["reactions"] == []
    await ben.refused(422, "PUT", f"{PATH}/{id_}/reactions/party")
    await ben.delete(f"{PATH}/{id_}/reactions/party")


@pytest.mark.parametrize(
    "name", ["x", "%20", "1", "word", HEART + WAVE, ":heart:", "\U0001f3fd\U0001f44b", "\U0001f1e6"]
)
async def test_what_is_no_emoji_is_refused(office: Office, ann: Person, name: str) -> None:
    id_ = await announce(office, "news")
    assert "emoji" in await ann.refused(422, "PUT", f"{PATH}/{id_}/reactions/{name}")
    assert (await ann.get(PATH))[0]["reactions"] == []


@pytest.mark.parametrize(
    "name",
    [
        HEART, "\u2764", WAVE, "\U0001f1f3\U0001f1f1", "1\ufe0f\u20e3", "\U0001f600", "\u00a9\ufe0f", "\U0001faf6",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)  # fmt: skip
def test_emoji_of_every_make_are_taken(name: str) -> None:
    assert is_emoji(name)
    assert not is_emoji(name + name)


async def test_there_are_not_more_than_eight_different(office: Office, ann: Person, ben: Person) -> None:
    id_ = await announce(office, "news")
    for number in range(announcements.MAX_EMOJI):
        await ann.put(f"{PATH}/{id_}/reactions/{chr(0x1F600 + number)}")
    await ben.refused(422, "PUT", f"{PATH}/{id_}/reactions/{HEART}")
    await ben.put(f"{PATH}/{id_}/reactions/{chr(0x1F600)}")


async def test_what_is_withdrawn_is_gone_with_all_below_it(office: Office, ann: Person) -> None:
    id_ = await announce(office, "news")
    await ann.put(f"{PATH}/{id_}/reactions/{HEART}")
    await ann.post(f"{PATH}/{id_}/dismiss")
    await office.db.write(announcements.withdraw, int(id_))
    assert await ann.get(PATH, with_dismissed="true") == []
    with pytest.raises(FedcorpError, match="no such announcement"):
        await office.db.write(announcements.withdraw, int(id_))


async def test_only_people_of_the_department_read_it(office: Office, ann: Person) -> None:
    await announce(office, "news")
    await office.anybody.refused(401, "GET", PATH)
    await (await office.app(None, "read")).refused(401, "GET", PATH)
    reader = await office.app(ann, "read")
    (shown,) = await reader.get(PATH)
    await reader.refused(403, "POST", f"{PATH}/{shown['id']}/dismiss")
    await reader.refused(403, "PUT", f"{PATH}/{shown['id']}/reactions/{HEART}")
