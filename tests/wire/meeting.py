"""Somebody here and somebody on a server of other make, who follow each other: so most stories about people begin.

`readable` says what the readers of such servers trip over in a document of ours; README.md names where each is written.
"""

from typing import Any

from fedcorp.activitypub.processor import undefined_terms
from fedcorp.activitypub.vocabulary import value_or_id
from tests.federation.world import Company, Department, Person
from tests.wire.server import Server, outcomes


class Meeting:
    """ann of finance and `them`, the URI of a person at `server`; `name` is the handle of that person."""

    def __init__(self, server: Server, finance: Department, ann: Person, them: str, name: str) -> None:
        self.server, self.finance, self.ann = server, finance, ann
        self.them, self.name = them, name

    async def send(self, name: str, **words: str) -> dict[str, Any]:
        """Deliver a file to finance, and let it be acted upon."""
        return await self.server.send(self.finance, name, **words)

    async def status(self, uri: str) -> Any:
        """The status with this uri as ann sees it."""
        return await self.ann.find_status(uri)

    async def publish(self, text: str, **values: Any) -> Any:
        """A post of ann's that everybody may see, and that has gone out."""
        made = await self.ann.publish(text, reach="public", **values)
        await self.server.company.settle()
        return made

    async def count(self, status: Any) -> int:
        """How many favourites a post has."""
        found: int = (await self.ann.get(f"/api/v1/statuses/{status['id']}"))["favourites_count"]
        return found

    async def emoji(self, status: Any) -> dict[str, int]:
        """What stands below a post, and how often."""
        seen = await self.ann.get(f"/api/v1/statuses/{status['id']}")
        return {item["name"]: item["count"] for item in seen["reactions"]}

    async def relation(self) -> dict[str, Any]:
        """How ann and them stand to each other, as her app is told."""
        account_id = await self.ann.find(self.name)
        (found,) = await self.ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
        assert isinstance(found, dict)
        return found

    async def faults(self) -> list[Any]:
        """What arrived and was not acted upon."""
        return [row for row in await outcomes(self.finance) if row[1] not in ("processed", "duplicate")]


async def meet(company: Company, software: str, handle: str, *files: str, **more: str) -> Meeting:
    """They follow ann with their file `follow`, ann follows them and is accepted by their file `accept_follow`."""
    finance = await company.department("finance")
    ann = await finance.person("ann")
    words = {"ann": ann.account.uri, "ann_page": ann.account.url or "", "ann_handle": "@ann@finance.localhost"}
    server = Server(company, software, serves_activities=False, **words, **more)
    server.publish(*files)
    await server.meet(finance)
    person = server.read_file(files[0])
    them = str(person["id"])
    server.key_name = person.get("publicKey", {}).get("id", server.key_name).removeprefix(them)
    meeting = Meeting(server, finance, ann, them, handle)
    await meeting.send("follow")
    (accept,) = server.got("Accept", "Follow")
    assert (accept["actor"], accept["object"]["actor"], accept["object"]["object"]) == (
        ann.account.uri, them, ann.account.uri,
    )  # fmt: skip
    account_id = await ann.find(handle)
    shown = await ann.post(f"/api/v1/accounts/{account_id}/follow")
    assert (shown["followed_by"], shown["following"], shown["requested"]) == (True, False, True)
    await company.settle()
    (follow,) = server.got("Follow")
    assert (follow["actor"], follow["object"]) == (ann.account.uri, them)
    await meeting.send("accept_follow", follow=follow["id"])
    (relation,) = await ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
    assert (relation["following"], relation["requested"]) == (True, False)
    return meeting


async def speak(meeting: Meeting, post: str, *unread: str) -> list[dict[str, Any]]:
    """ann does everything that people do to posts: to `post`, the URI of one of theirs, and with one of her own.

    Returns what their server got of it, in order; nothing of the types that are `unread` there, nor their Undo.
    """
    ann, server = meeting.ann, meeting.server
    begun = len(server.received)
    theirs = await meeting.status(post)
    reactions = ("react/☕", "unreact/☕", "react/👎", "unreact/👎")
    for verb in ("favourite", "unfavourite", *reactions, "reblog", "unreblog"):
        await ann.post(f"/api/v1/statuses/{theirs['id']}/{verb}")
        await server.company.settle()
    answer = await meeting.publish(f"@{meeting.name} I see #flowers", in_reply_to_id=theirs["id"], language="en")
    response = await ann.send("PUT", f"/api/v1/statuses/{answer['id']}", status=f"@{meeting.name} I saw #flowers")
    assert response.status_code == 200
    await server.company.settle()
    assert (await ann.send("DELETE", f"/api/v1/statuses/{answer['id']}")).status_code == 200
    await server.company.settle()
    got = server.received[begun:]
    pairs = [(kind, "Undo") for kind in ("Like", "Like", "EmojiReact", "Announce") if kind not in unread]
    assert [item["type"] for item in got] == [*(kind for pair in pairs for kind in pair), "Create", "Update", "Delete"]
    assert [fault for item in got for fault in (*readable(item, meeting.them), *undefined_terms(item))] == []
    return got


def readable(item: dict[str, Any], them: str) -> list[str]:
    """What a reader of Misskey, Akkoma, Takahe, Hollo or WordPress would trip over in an activity of ours."""
    found = []
    kind, thing = item["type"], item["object"]
    if not isinstance(item.get("actor"), str) or not isinstance(item.get("id"), str):
        found.append(f"{kind}: id and actor are not one URL each")
    if kind in ("Like", "EmojiReact", "Announce", "Delete") and value_or_id(thing) is None:
        found.append(f"{kind}: the object is not one URL")
    if kind == "Undo":
        inner = isinstance(thing, dict) and {"id", "type", "actor", "object"} <= thing.keys()
        if not inner or thing["actor"] != item["actor"]:
            found.append("what is undone does not stand inside, with the actor who did it")
    if kind not in ("Create", "Update") or thing["type"] != "Note":
        return found
    if thing["attributedTo"] != item["actor"]:
        found.append("the note is not attributed to the actor, as one URL")
    if (item["to"], item["cc"]) != (thing["to"], thing["cc"]):
        found.append("the addresses of activity and note differ")
    if not isinstance(thing.get("content"), str):
        found.append("a note without content")
    if not {tag["type"] for tag in thing["tag"]} <= {"Mention", "Hashtag", "Emoji"}:
        found.append("a tag that is not known there")
    mentioned = [tag["href"] for tag in thing["tag"] if tag["type"] == "Mention"]
    if them not in mentioned or not set(mentioned) <= {*thing["to"], *thing["cc"]}:
        found.append("who is mentioned is not addressed, or has no tag")
    if any(not isinstance(one.get("url"), str) or "mediaType" not in one for one in thing["attachment"]):
        found.append("an attachment without url or media type")
    return found
