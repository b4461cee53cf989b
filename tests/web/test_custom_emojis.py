"""Emoji of the department: in the picker, in posts, polls and profiles, and right in what was rendered before."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from fedcorp.social import custom_emojis, images
from tests.web.instance import ORIGIN, Office, Person, picture

pytestmark = pytest.mark.anyio


async def add(office: Office, code: str, content: bytes | None = None, **values: Any) -> None:
    """As `fedcorp emoji add` does."""
    made = images.emoji(content or picture())
    key, still_key = f"{code:x<16}", f"{code:y<16}"
    office.instance.files.put(made.data, suffix=images.SUFFIXES[made.mime], key=key)
    office.instance.files.put(made.preview, suffix=images.SUFFIXES[made.preview_mime], key=still_key)
    await office.db.write(custom_emojis.add, code, key=key, still_key=still_key, mime=made.mime, **values)


def codes(entity: Any) -> list[str]:
    return [item["shortcode"] for item in entity["emojis"]]


def moving() -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


async def test_the_picker_shows_what_there_is(office: Office, ann: Person) -> None:
    assert await office.anybody.get("/api/v1/custom_emojis") == []
    await add(office, "party", moving(), category="Fun")
    await add(office, "cat")
    cat, party = await ann.get("/api/v1/custom_emojis")
    assert (cat["shortcode"], cat["category"], party["shortcode"], party["category"]) == ("cat", None, "party", "Fun")
    pictures = [await office.anybody.http.get(party[name].removeprefix(ORIGIN)) for name in ("url", "static_url")]
    assert [getattr(Image.open(BytesIO(item.content)), "n_frames", 1) for item in pictures] == [3, 1]


async def test_posts_polls_and_profiles_name_theirs(office: Office, ann: Person, ben: Person) -> None:
    for code in ("party", "cat", "dog"):
        await add(office, code)
    status = await ann.publish(
        "now :party: and ::cat:: x:cat: :none:",
        spoiler_text=":cat:",
        poll={"options": [":dog:", "no"], "expires_in": 600},
    )
    assert codes(status) == ["party", "cat"]
    assert codes(status["poll"]) == ["dog"]
    assert codes(await ben.get(f"/api/v1/polls/{status['poll']['id']}")) == ["dog"]
    changed = await ann.patch(
        "/api/v1/accounts/update_credentials",
        display_name="Ann :cat:",
        fields_attributes=[{"name": "x", "value": ":dog:"}],
    )
    assert codes(changed) == ["cat", "dog"]
    boost = await ben.do("reblog", status)
    assert codes(boost["reblog"]) == ["party", "cat"]
    assert codes(boost["reblog"]["account"]) == ["cat", "dog"]
    await ann.put(f"/api/v1/statuses/{status['id']}", status="no more", spoiler_text="")
    history = await ann.get(f"/api/v1/statuses/{status['id']}/history")
    assert [codes(version) for version in history] == [["party", "cat"], []]


async def test_what_was_shown_before_changes_with_them(office: Office, ann: Person, ben: Person) -> None:
    status = await ann.publish("now :party:")
    other = await ann.publish("?", poll={"options": [":party:", "b"], "expires_in": 600})
    await ann.patch("/api/v1/accounts/update_credentials", note=":party:")
    path = f"/api/v1/statuses/{status['id']}"
    for there in (True, False):
        found = await ben.get(path)
        assert codes(found) == codes(found["account"]) == ([] if there else ["party"])
        assert codes((await ben.get(f"/api/v1/statuses/{other['id']}"))["poll"]) == codes(found)
        if there:
            await add(office, "party")
    await office.db.write(custom_emojis.remove, "party")
    found = await ben.get(path)
    assert codes(found) == codes(found["account"]) == []


def test_codes_stand_alone() -> None:
    found = custom_emojis.codes_in("<p>:a1: :b_2::c: :ok: a:d: :e:f http://x:80:y :ok:</p>")
    assert found == ["a1", "ok"]
    assert not custom_emojis.is_code("x")
    assert len(custom_emojis.codes_in(" ".join(f":c{number}:" for number in range(200)))) == custom_emojis.MAX_IN_TEXT
