"""Custom emoji between departments: shown from one's own house, and kept apart by where they come from."""

from typing import Any

import pytest

from fedcorp.company import peers
from fedcorp.social import custom_emojis, images
from tests.federation.world import Company, Department, Outsider
from tests.web.instance import picture

pytestmark = pytest.mark.anyio


async def add(department: Department, code: str, colour: str) -> None:
    made = images.emoji(picture(colour))
    key = f"{code:x<16}"
    department.instance.files.put(made.data, suffix=".png", key=key)
    await department.db.write(custom_emojis.add, code, key=key, still_key=key, mime=made.mime)


def codes(entity: Any) -> list[str]:
    return [item["shortcode"] for item in entity["emojis"]]


async def test_emoji_of_another_department_are_served_here(company: Company) -> None:
    finance, operations = await company.department("finance"), await company.department("operations")
    await company.introduce(finance, operations)
    ann, bo = await finance.person("ann"), await operations.person("bo")
    await add(finance, "party", "red")
    await add(operations, "party", "blue")
    await ann.send("PATCH", "/api/v1/accounts/update_credentials", display_name="Ann :party:")
    await bo.follow(ann.handle)
    await company.settle()
    await ann.publish("now :party: :unknown:", poll={"options": [":party:", "b"], "expires_in": 600})
    await company.settle()
    (seen,) = await bo.home()
    assert codes(seen) == codes(seen["account"]) == codes(seen["poll"]) == ["party"]
    (item,) = seen["emojis"]
    assert item["url"].startswith(operations.origin)
    mine = await bo.publish("mine :party:")
    assert mine["emojis"][0]["url"] != item["url"], "that of our own department"
    served = await bo.http.get(item["url"].removeprefix(operations.origin))
    theirs = await ann.http.get("/media/" + "party" + "x" * 11)
    assert served.content == theirs.content
    assert codes({"emojis": await bo.get("/api/v1/custom_emojis")}) == ["party"]
    assert (await bo.get("/api/v1/custom_emojis"))[0]["url"] == mine["emojis"][0]["url"]


async def test_emoji_of_other_makes_come_along(company: Company) -> None:
    operations = await company.department("operations")
    mastodon = Outsider(company, "mastodon.example")
    await operations.db.write(peers.add, mastodon.domain, "partner")
    await operations.settle()
    mia = mastodon.actor("mia")
    bo = await operations.person("bo")
    icon = {"type": "Image", "url": f"{mastodon.origin}/party.png"}
    tags = [
        {"type": "Emoji", "name": ":party:", "icon": icon, "updated": "2026-01-01T00:00:00Z"},
        {"type": "Emoji", "name": ":no code:", "icon": icon},
        {"type": "Emoji", "name": ":bad:", "icon": {"type": "Image", "url": "javascript:alert(1)"}},
        {"type": "Emoji"},
    ]
    note = mastodon.note(mia, "hi :party: :bad:", tag=tags)
    seen = await bo.find_status(note["id"])
    await company.settle()
    assert codes(await bo.get(f"/api/v1/statuses/{seen['id']}")) == [], "its picture cannot be had"
    assert f"{mastodon.origin}/party.png" in [str(item.url) for item in company.network.requests]
