"""The lives of groups, one story for each preset: four departments, every step, and all agree after each of them."""

from typing import Any

import pytest

from fedcorp.company import peers
from fedcorp.errors import Unprocessable
from fedcorp.social import accounts, groups, memberships, stewardship
from fedcorp.storage.database import Tx
from tests.federation.stage import API, Post, Stage, bare, stage_of
from tests.federation.world import Company, Outsider, Person, plain

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DAY = 86_400

# -- what happens in every group -------------------------------------------------------------------------------------


async def count(person: Person, post: Post, name: str) -> int:
    """A number that the author sees at a post."""
    return int((await person.get(f"/api/v1/statuses/{post.id}"))[name])


async def talk(s: Stage, author: Person, other: Person, *, answers: bool = True) -> Post:
    """A post with everything that people do to it; `other` belongs too."""
    post = await s.post(author, "who has a wheel?")
    here = await s.status_id(other.department, post)
    await other.post(f"/api/v1/statuses/{here}/favourite")
    await s.settle()
    assert await count(author, post, "favourites_count") == 1
    assert ("favourite", other.handle) in await author.notifications()
    await other.post(f"/api/v1/statuses/{here}/unfavourite")
    await other.post(f"/api/v1/statuses/{here}/react/🛞")
    await s.settle()
    below = (await author.get(f"/api/v1/statuses/{post.id}"))["reactions"]
    assert [(item["name"], item["count"]) for item in below] == [("🛞", 1)]
    if answers:
        answer = await s.reply(other, post, "I have two")
        await s.reply(author, answer, "give me one")
        context = await author.get(f"/api/v1/statuses/{post.id}/context")
        assert [plain(item["content"]) for item in context["descendants"]] == ["I have two", "give me one"]
    await s.edit(post, "who has a big wheel?")
    await poll(s, author, other)
    await s.unpublish(await s.post(author, "never mind"))
    return post


async def poll(s: Stage, author: Person, other: Person) -> None:
    """A question, answered from another department; both see the result."""
    asked = await s.post(author, "when?", poll={"options": ["today", "never"], "expires_in": 3600})
    here = await s.status_id(other.department, asked)
    seen = (await other.get(f"/api/v1/statuses/{here}"))["poll"]
    await other.post(f"/api/v1/polls/{seen['id']}/votes", choices=[0])
    await s.settle()
    mine = (await author.get(f"/api/v1/statuses/{asked.id}"))["poll"]
    theirs = await other.get(f"/api/v1/polls/{seen['id']}")
    for shown in (mine, theirs):
        assert [option["votes_count"] for option in shown["options"]] == [1, 0]
    await s.agree()


async def boost(s: Stage, person: Person, post: Post) -> None:
    """What everybody reads may be passed on, what only members read may not."""
    here = await s.status_id(person.department, post)
    response = await person.send("POST", f"/api/v1/statuses/{here}/reblog")
    await s.settle()
    if s.members_only:
        assert response.status_code in (403, 404, 422), response.text
        assert await count(post.author, post, "reblogs_count") == 0
    else:
        assert response.status_code == 200, response.text
        assert await count(post.author, post, "reblogs_count") == 1
        assert ("reblog", person.handle) in await post.author.notifications()
    await s.agree()


async def moderate(s: Stage, moderator: Person, post: Post, member: Person) -> None:
    """Pin, lock, remove, and all of it back; `member` may do none of that."""
    here = await s.status_id(member.department, post)
    for verdict in ("pin", "lock", "remove"):
        await s.barred(member, "POST", f"/statuses/{here}/{verdict}")
    await s.judge(moderator, post, "pin")
    for person in s.people.values():
        if s.reads(person, post):
            group = await s.id_for(person)
            pinned = await person.get(f"/api/v1/accounts/{group}/statuses", pinned="true")
            assert [item["reblog"]["uri"] for item in pinned] == [post.uri], person.handle
    await s.judge(moderator, post, "unpin")
    await s.judge(moderator, post, "lock")
    response = await member.send("POST", "/api/v1/statuses", status="one more word", in_reply_to_id=str(here))
    assert response.status_code == 403
    assert ("moderators" if s.announces else "locked") in response.text
    await s.judge(moderator, post, "unlock")
    await s.judge(moderator, post, "remove", "Not about robots")
    await s.judge(moderator, post, "restore")


async def hold(s: Stage, admin: Person, moderator: Person, member: Person) -> None:
    """Posts wait for a moderator for a while."""
    await s.barred(member, "PATCH", premoderated=True)
    await s.do(admin, "PATCH", premoderated=True)
    await s.agree()
    good = await s.post(member, "may I say this?", state="held")
    bad = await s.post(member, "and this?", state="held")
    for person in (admin, moderator):
        assert await s.held(person) == ["may I say this?", "and this?"]
    assert (await s.send(member, "GET", "/held")).status_code == 403
    await s.judge(moderator, good, "approve")
    await s.judge(admin, bad, "reject", "This belongs elsewhere")
    assert await s.held(moderator) == []
    await s.post(moderator, "moderators need not wait")
    await s.do(admin, "PATCH", premoderated=False)
    await s.agree()


async def report(s: Stage, reporter: Person, post: Post, moderators: tuple[Person, ...]) -> None:
    """A member tells the moderators, who see it in every department, but not who told; one deals with it."""
    here = await s.status_id(reporter.department, post)
    subject = await reporter.find(post.author.handle)
    await s.do(reporter, "POST", "/reports", account_id=subject, status_ids=[str(here)], comment="rude")
    number = ""
    for person in moderators:
        (item,) = await person.get(f"{API}/{await s.id_for(person)}/reports")
        assert item["comment"] == "rude"
        assert item["account"]["username"] == post.author.account.username
        assert item["status_ids"] == [str(await s.status_id(person.department, post))]
        assert reporter.handle not in str(item)
        number = item["id"]
    assert (await s.send(reporter, "GET", "/reports")).status_code == 403
    await s.do(moderators[-1], "POST", f"/reports/{number}/resolve")
    for person in moderators:
        assert await person.get(f"{API}/{await s.id_for(person)}/reports") == []
    await s.agree()


async def keep_out(s: Stage, moderator: Person, member: Person, other: Person) -> None:
    """A member is banned for a day, which passes; another is banned for good, and pardoned. `s.roles` lacks both."""
    was = [post for post in s.posts if s.reads(member, post)]
    await s.barred(member, "POST", "/bans", acct=other.handle)
    await s.ban(moderator, member, "A day of rest", expires_in=DAY)
    assert not [post for post in was if s.members_only and s.reads(member, post)]
    if not s.secret:  # of which they know no longer
        refusal = await member.send("POST", "/api/v1/statuses", status=f"{s.mention(member)} let me in")
        assert refusal.status_code == 403, refusal.text
        await refused_to_join(s, member)
    for person in s.people.values():
        if s.roles.get(s.name_of(person)) == "moderator":
            (item,) = await person.get(f"{API}/{await s.id_for(person)}/bans")
            assert item["account"]["username"] == member.account.username
    s.company.clock.shift_ms += (DAY + 60) * 1000
    del s.roles[s.name_of(member)]
    await s.settle()
    await s.agree()
    await s.ban(moderator, other, "For good")
    await s.unban(moderator, other)


async def refused_to_join(s: Stage, person: Person) -> None:
    """Somebody asks, and the answer is no, at once or when the group's server has spoken."""
    response = await s.send(person, "POST", "/join")
    assert response.status_code in (202, 403), response.text
    await s.settle()
    view = await s.view(person)
    assert (view["requested"], view["role"] in ("member", "moderator", "admin")) == (False, False)
    await s.agree()


async def hand_over(s: Stage, admin: Person, heir: Person) -> None:
    """The only admin can neither go nor step down, until somebody else is admin too."""
    await s.barred(admin, "POST", "/leave", status=422)
    mine = await admin.find(admin.handle) if admin.department is not s.home else admin.id
    await s.barred(admin, "PUT", f"/members/{mine}", status=422, role="member")
    await s.give(admin, heir, "admin")
    await s.give(heir, admin, "member")
    await s.barred(admin, "PATCH", title="Mine again")
    await s.do(heir, "PATCH", title="Robots and more", rules=["Be kind"], purpose="To build some")
    for person in s.people.values():
        if s.roles.get(s.name_of(person)) in ("member", "moderator", "admin"):
            view = await s.view(person)
            assert (view["title"], view["rules"], view["purpose"]) == ("Robots and more", ["Be kind"], "To build some")
    await s.agree()
    here = await s.send(heir, "POST", "/leave")
    assert here.status_code == 422, here.text
    await s.agree()


async def end(s: Stage, admin: Person, member: Person) -> None:
    """Archived: read by whoever could, and nobody posts. Opened again, and deleted: gone everywhere."""
    await s.barred(member, "PATCH", archived=True)
    await s.do(admin, "PATCH", archived=True)
    for person in (admin, member):
        assert (await s.view(person))["archived_at"] is not None
        refusal = await person.send("POST", "/api/v1/statuses", status=f"{s.mention(person)} too late")
        assert refusal.status_code == 403
        assert "archived" in refusal.text
    await s.agree()
    await s.do(admin, "PATCH", archived=False)
    await s.post(admin, "open again")
    await s.leave(member)
    await s.barred(member, "DELETE", status=404 if s.secret else 403)
    s.gone = True
    await s.do(admin, "DELETE")
    await s.agree()


async def hidden_from(s: Stage, *people: Person) -> None:
    """People who do not belong read nothing by any of these doors."""
    for person in people:
        own = {post.words for post in s.posts if post.author is person}
        assert {bare(text) for text in await person.texts()} <= own, person.handle
        for post in s.posts:
            if person is not post.author:
                assert await person.find_status(post.uri) is None, (person.handle, post.text)
        found = await person.get("/api/v2/search", q="wheel", type="statuses")
        assert found["statuses"] == []
        group = await s.id_at(person.department)
        if group is not None:
            response = await s.send(person, "GET", "/members")
            assert response.status_code == 404


async def found_by(s: Stage, *people: Person, shown: bool = True) -> None:
    """Whether search, by its whole name and by a word, and the list of groups show the group to these people."""
    for person in people:
        assert await s.finds(person) is shown, person.handle
        assert [item["title"] for item in await person.get(API, q="robots")] == ["Robots"] * shown
        found = await person.get("/api/v2/search", q="robo", type="accounts")
        assert bool(found["accounts"]) is shown


# -- the presets -----------------------------------------------------------------------------------------------------


async def test_an_open_group(company: Company) -> None:
    s = await stage_of(company, "open", description="Everything that moves", topics=["robots"])
    await found_by(s, *s.people.values())
    await s.follow(s.bo)
    await s.join(s.cy)
    await s.follow(s.abe)
    await s.follow(s.ben)
    await s.post(s.ann, "welcome")
    post = await talk(s, s.bo, s.cy)
    await s.post(s.dan, "may I, without belonging?")
    await boost(s, s.abe, post)
    await s.give(s.ann, s.bo, "moderator")
    await moderate(s, s.bo, await s.post(s.cy, "my own wheel"), s.ben)
    await s.judge(s.bo, await s.post(s.ben, "of a neighbour"), "remove")
    await s.judge(s.bo, await s.post(s.bo, "of my own"), "remove")
    await hold(s, s.ann, s.bo, s.cy)
    await report(s, s.abe, post, (s.ann, s.bo))
    await s.invite(s.cy, s.di, "come in")
    await s.follow(s.di)
    await s.remove(s.bo, s.di, "This is not for you")
    await keep_out(s, s.bo, s.cy, s.di)
    await s.follow(s.cy)
    await hand_over(s, s.ann, s.bo)
    await end(s, s.bo, s.cy)


async def test_a_group_that_one_asks_to_join(company: Company) -> None:
    s = await stage_of(company, "request")
    await found_by(s, *s.people.values())
    await s.join(s.bo, waits=True, message="I build wheels")
    (asking,) = await s.ann.get(f"{API}/{await s.id_for(s.ann)}/requests")
    assert (asking["account"]["acct"], asking["message"]) == (s.bo.handle, "I build wheels")
    refusal = await s.bo.send("POST", "/api/v1/statuses", status=f"{s.mention(s.bo)} hello")
    assert refusal.status_code == 403, "only members post"
    await s.approve(s.ann, s.bo)
    await s.follow(s.cy, waits=True)
    await s.reject(s.ann, s.cy, "We are full")
    assert not (await s.view(s.cy))["requested"]
    await s.give(s.ann, s.bo, "moderator")
    await s.follow(s.cy, waits=True)
    await s.approve(s.bo, s.cy)
    await s.follow(s.abe, waits=True)
    await s.approve(s.bo, s.abe)
    link = (await s.do(s.ann, "POST", "/link"))["join_link"]
    await s.join(s.di, link=link)
    post = await talk(s, s.cy, s.abe)
    await boost(s, s.di, post)
    await moderate(s, s.bo, post, s.di)
    await hold(s, s.ann, s.bo, s.cy)
    await report(s, s.di, post, (s.ann, s.bo))
    await s.remove(s.ann, s.abe)
    await keep_out(s, s.bo, s.cy, s.di)
    await s.follow(s.cy, waits=True)
    await s.approve(s.ann, s.cy)
    await hand_over(s, s.ann, s.bo)
    await end(s, s.bo, s.cy)


async def test_a_private_group(company: Company) -> None:
    s = await stage_of(company, "private")
    await found_by(s, *s.people.values())
    await s.follow(s.bo, waits=True)
    await s.approve(s.ann, s.bo)
    await s.give(s.ann, s.bo, "moderator")
    await s.invite(s.bo, s.cy, "we need you")
    await s.follow(s.cy)
    await s.join(s.abe, waits=True, message="me too")
    await s.reject(s.bo, s.abe, "Not now")
    await s.join(s.abe, waits=True, message="but I can weld")
    await s.approve(s.bo, s.abe)
    post = await talk(s, s.cy, s.abe)
    await boost(s, s.abe, post)
    await hidden_from(s, s.ben, s.cleo, s.dan)
    await s.do(s.ann, "PATCH", history="joined")
    await s.invite(s.ann, s.di)
    for earlier in s.posts:
        earlier.unread_by.add("di")
    s.company.clock.shift_ms += 1000
    await s.follow(s.di)
    await moderate(s, s.bo, await s.post(s.cy, "a new wheel"), s.di)
    await hold(s, s.ann, s.bo, s.cy)
    await report(s, s.abe, post, (s.ann, s.bo))
    await s.remove(s.bo, s.abe, "Gone to another team")
    await hidden_from(s, s.abe)
    await keep_out(s, s.bo, s.cy, s.di)
    await hidden_from(s, s.cleo, s.dan)
    await s.invite(s.ann, s.cy)
    for earlier in s.posts:
        earlier.unread_by.add("cy")
    s.company.clock.shift_ms += 1000
    await s.follow(s.cy)
    await hand_over(s, s.ann, s.bo)
    await end(s, s.bo, s.cy)


async def announcements(company: Company, **settings: Any) -> None:
    """Only moderators post; everybody who may read reads."""
    s = await stage_of(company, "announcement", **settings)
    await found_by(s, *s.people.values())
    await s.follow(s.bo)
    await s.follow(s.cy)
    await s.follow(s.di)
    await s.follow(s.abe)
    news = await s.post(s.ann, "we moved")
    for person in (s.bo, s.abe, s.cleo):
        refusal = await person.send("POST", "/api/v1/statuses", status=f"{s.mention(person)} me too")
        assert refusal.status_code == 403, refusal.text
        assert "moderators" in refusal.text
    await s.barred(s.bo, "POST", "/invites", acct=s.cleo.handle)
    if s.members_only:
        await hidden_from(s, s.cleo, s.dan)
    await boost(s, s.cy, news)
    await s.give(s.ann, s.bo, "moderator")
    post = await talk(s, s.bo, s.di, answers=False)
    await moderate(s, s.bo, post, s.cy)
    await report(s, s.cy, news, (s.ann, s.bo))
    await s.remove(s.bo, s.abe)
    await keep_out(s, s.bo, s.cy, s.di)
    await s.follow(s.cy)
    await hand_over(s, s.ann, s.bo)
    await end(s, s.bo, s.cy)


async def test_an_announcement_channel(company: Company) -> None:
    await announcements(company)


async def test_an_announcement_channel_that_only_members_read(company: Company) -> None:
    await announcements(company, reading="members")


async def test_a_secret_group(company: Company) -> None:
    s = await stage_of(company, "secret")
    others = [person for name, person in s.people.items() if name != "ann"]
    await found_by(s, s.ann)
    await found_by(s, *others, shown=False)
    await s.invite(s.ann, s.bo, "psst")
    await found_by(s, s.bo)
    await found_by(s, s.ben, s.cy, shown=False)
    await s.follow(s.bo)
    await s.give(s.ann, s.bo, "moderator")
    await s.invite(s.bo, s.cy)
    await s.do(s.cy, "POST", "/decline")
    await found_by(s, s.cy, shown=False)
    await s.invite(s.bo, s.cy)
    await s.do(s.bo, "DELETE", f"/invites/{await s.bo.find(s.cy.handle)}")
    await found_by(s, s.cy, shown=False)
    await s.invite(s.bo, s.cy, "this time")
    await s.join(s.cy)
    await s.invite(s.ann, s.abe)
    await s.join(s.abe)
    await s.invite(s.ann, s.di)
    await s.join(s.di)
    await found_by(s, s.ben, s.cleo, s.dan, shown=False)
    post = await talk(s, s.cy, s.abe)
    await boost(s, s.abe, post)
    await hidden_from(s, s.ben, s.cleo, s.dan)
    await moderate(s, s.bo, post, s.di)
    await hold(s, s.ann, s.bo, s.cy)
    await report(s, s.abe, post, (s.ann, s.bo))
    await s.remove(s.bo, s.abe, "Gone to another team")
    await found_by(s, s.abe, shown=False)
    await keep_out(s, s.bo, s.cy, s.di)
    await found_by(s, s.cy, s.di, shown=False)
    await s.invite(s.ann, s.cy)
    await s.follow(s.cy)
    await hand_over(s, s.ann, s.bo)
    await end(s, s.bo, s.cy)


# -- a member on a server of another make ----------------------------------------------------------------------------


class Plain:
    """max on a server of another make, a partner, who follows the group and knows nothing of groups."""

    def __init__(self, s: Stage) -> None:
        self.s = s
        self.server = Outsider(s.company, "plain.example")
        self.max = self.server.actor("max")
        self.group = ""

    def got(self, kind: str) -> list[Any]:
        """What arrived there, of one type."""
        return [item for item in self.server.received if item["type"] == kind]

    def told(self) -> list[str]:
        """The words of direct messages of the group."""
        notes = [item["object"] for item in self.got("Create") if item["actor"] == self.group]
        return [plain(note["content"]) for note in notes if note["to"] == [self.max]]

    async def send(self, document: dict[str, Any]) -> None:
        """Send something to the server of the group; it can be read at its id."""
        self.server.documents[document["id"]] = document
        response = await self.server.deliver(self.s.home, document)
        assert response.status_code == 202, response.text
        await self.s.settle()

    async def follow(self) -> dict[str, Any]:
        """Ask to follow the group, and let it answer."""
        document = self.server.activity("Follow", self.max, self.group, to=[self.group])
        await self.send(document)
        return document

    async def write(self, words: str, **more: Any) -> Post:
        """A public post that mentions the group."""
        tag = {"type": "Mention", "href": self.group, "name": f"@{self.s.handle}"}
        note = self.server.note(
            self.max, f"@robots {words}", cc=[self.max + "/followers", self.group], tag=[tag], **more
        )
        post = Post(None, note["id"], words, "")
        self.s.posts.append(post)
        await self.send(self.server.activity("Create", self.max, note, cc=note["cc"]))
        await self.s.agree()
        return post

    async def reads(self, post: Post) -> bool:
        """Whether max can fetch what the group named."""
        (department,) = [one for one in self.s.departments if post.uri.startswith(one.origin + "/")]
        return (await self.server.read(department, post.uri, signer=self.max)).status_code == 200


async def test_a_member_of_an_open_group_on_a_plain_server(company: Company) -> None:
    s = await stage_of(company, "open", reach="partners")
    them = Plain(s)
    for department in s.departments:
        await department.db.write(peers.add, them.server.domain, "partner")
    them.group = (await s.view(s.ann))["uri"]
    await s.follow(s.bo)
    await s.follow(s.cy)
    follow = await them.follow()
    assert [item["object"]["id"] for item in them.got("Accept")] == [follow["id"]]
    s.roles["max"] = "member"
    await s.agree()

    for author in (s.ann, s.bo):
        post = await s.post(author, f"{author.account.username} has news")
        assert post.uri in [item["object"] for item in them.got("Announce")], "by its id, as a boost"
        assert await them.reads(post)
    written = await them.write("hello from outside")
    answer = await s.reply(s.cy, written, "hello to you")
    assert answer.uri in [item["object"]["id"] for item in them.got("Create")], "as an answer of its author"
    await them.write("and again", inReplyTo=s.posts[0].uri)

    note = them.server.documents[written.uri] | {
        "content": "<p>@robots hello again</p>",
        "updated": "2026-11-02T10:00:00Z",
    }
    them.server.documents[written.uri] = note
    written.text = "hello again"
    await them.send(them.server.activity("Update", them.max, note, cc=note["cc"]))
    await s.agree()
    await them.send(them.server.activity("Like", them.max, s.posts[0].uri, to=[]))
    assert await count(s.ann, s.posts[0], "favourites_count") == 1

    await s.give(s.ann, s.bo, "moderator")
    await s.judge(s.bo, s.posts[1], "pin")
    await s.judge(s.bo, written, "remove", "Off topic")
    (taken,) = [item for item in them.got("Undo") if item["object"]["type"] == "Announce"]
    assert taken["object"]["object"] == written.uri
    assert "Off topic" in them.told()[-1]
    await s.judge(s.bo, written, "restore")

    acct = f"max@{them.server.domain}"
    await s.do(s.bo, "POST", "/bans", acct=acct, reason="Enough")
    del s.roles["max"]
    await s.agree()
    assert "Enough" in them.told()[-1]
    assert len(them.got("Reject")) == 1
    await them.follow()
    assert len(them.got("Reject")) == 2
    await s.do(s.bo, "DELETE", f"/bans/{await s.bo.find(acct)}")
    follow = await them.follow()
    s.roles["max"] = "member"
    await s.agree()
    await them.send(them.server.activity("Undo", them.max, follow, to=[them.group]))
    del s.roles["max"]
    await s.agree()


async def test_nobody_belongs_to_a_group_whose_reach_ends_before_their_server(company: Company) -> None:
    """They would write for the others and read nothing of them."""
    s = await stage_of(company, "open")
    them = Plain(s)
    for department in s.departments:
        await department.db.write(peers.add, them.server.domain, "partner")
    group = await s.view(s.ann)
    assert group["reach"] == "company"
    them.group = group["uri"]
    follow = await them.follow()
    assert [item["object"]["id"] for item in them.got("Reject")] == [follow["id"]]
    assert them.got("Accept") == []
    assert "its reach (company), which does not cover plain.example" in them.told()[-1]
    invited = await s.ann.send("POST", f"{API}/{group['id']}/invites", acct=f"max@{them.server.domain}")
    assert (invited.status_code, "outside the reach" in invited.text) == (422, True)
    await s.agree()

    await s.ann.send("PATCH", f"{API}/{group['id']}", reach="partners")
    follow = await them.follow()
    assert [item["object"]["id"] for item in them.got("Accept")] == [follow["id"]]
    s.roles["max"] = "member"
    await s.follow(s.bo)

    def leave_oneself_out(tx: Tx) -> None:
        made, max_ = accounts.find_by_uri(tx, group["uri"]), accounts.find_by_uri(tx, them.max)
        assert made is not None
        assert max_ is not None
        memberships.set_role(tx, made.id, max_.id, "admin")
        stewardship.change(tx, made, max_, groups.Settings(reach="company"))

    with pytest.raises(Unprocessable, match="ends before your own server"):
        await s.home.db.write(leave_oneself_out)
    await s.agree()
    assert (await s.view(s.ann))["reach"] == "partners"
    await s.ann.send("PATCH", f"{API}/{group['id']}", reach="company")
    await company.settle()
    del s.roles["max"]
    await s.agree()
    assert them.got("Reject")[-1]["object"]["id"] == follow["id"]
    assert "no longer go as far as your server" in them.told()[-1]
    post = await s.post(s.bo, "for us alone")
    assert post.uri not in [item["object"] for item in them.got("Announce")]


async def test_a_secret_group_gives_no_reason_to_whom_it_does_not_show_itself(company: Company) -> None:
    s = await stage_of(company, "secret", reach="partners")
    them = Plain(s)
    await s.home.db.write(peers.add, them.server.domain, "partner")
    them.group = (await s.view(s.ann))["uri"]
    await them.follow()
    assert (them.got("Reject"), them.got("Accept"), them.told()) == ([], [], [])
    await s.agree()


async def test_an_admin_of_another_department_changes_every_setting_at_once(company: Company) -> None:
    s = await stage_of(company, "open")
    await s.join(s.bo)
    await s.give(s.ann, s.bo, "admin")
    settings: dict[str, Any] = {
        "title": "Machines", "purpose": "to learn", "rules": ["be kind", "be brief"], "topics": ["arms", "eyes"],
        "joining": "approval", "reading": "members", "posting": "moderators", "inviting": "moderators",
        "history": "joined", "outsiders": "relay", "premoderated": True, "reach": "partners",
        "ends_at": "2099-01-01T00:00:00.000Z",
    }  # fmt: skip
    before = await s.view(s.ann)
    assert not any(before[name] == value for name, value in settings.items()), "else nothing is shown by it"
    await s.do(s.bo, "PATCH", description="All about them", **settings)
    s.members_only = True
    s.joining_waits = True
    for person in (s.ann, s.bo):
        view = await s.view(person)
        assert {name: view[name] for name in settings} == settings
        assert plain(view["description"]) == "All about them"
    await s.agree()
    await s.do(s.bo, "PATCH", title="Robots again")
    kept = settings | {"title": "Robots again"}
    assert {name: (await s.view(s.ann))[name] for name in kept} == kept
