"""WordPress with the ActivityPub plugin: ids in query strings, inboxes apart from ids, Articles, a blog as a Group."""

from datetime import timedelta

import pytest

from fedcorp.activitypub.vocabulary import format_time
from tests.federation.world import Company, plain
from tests.wire.meeting import Meeting, meet, speak

pytestmark = pytest.mark.anyio

HOST = "https://wordpress.example"
WILL, ARTICLE = f"{HOST}/?author=1", f"{HOST}/?p=7"


async def met(company: Company) -> Meeting:
    return await meet(company, "wordpress", "will@wordpress.example", "person_will", "application", "blog")


async def test_a_person_whose_id_is_a_query(company: Company) -> None:
    meeting = await met(company)
    assert meeting.them == WILL
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert (shown["display_name"], shown["url"]) == ("Will", f"{HOST}/author/will/")
    assert [item["name"] for item in shown["fields"]] == ["Blog", "Powered by"]
    assert plain(shown["note"]).strip() == "Notes from the works"
    await meeting.send("update_person")
    shown = await meeting.ann.get(f"/api/v1/accounts/{await meeting.ann.find(meeting.name)}")
    assert shown["display_name"] == "Will W."
    assert await meeting.faults() == []


async def test_what_we_send_can_be_read_and_goes_to_its_inbox(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_article")
    await speak(meeting, ARTICLE)
    posted = {str(item.url) for item in company.network.requests if item.method == "POST" and item.url.host[0] == "w"}
    assert posted <= {f"{HOST}/wp-json/activitypub/1.0/inbox", f"{HOST}/wp-json/activitypub/1.0/actors/1/inbox"}


async def test_an_article_is_a_titled_post_and_its_excerpt_no_warning(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("create_article")
    post = await meeting.status(ARTICLE)
    assert plain(post["content"]) == "A latheThe new lathe has arrived.It turns."
    assert (post["spoiler_text"], post["sensitive"], post["url"]) == ("", False, f"{HOST}/2026/11/post-7/")
    assert [item["description"] for item in post["media_attachments"]] == ["a lathe"]
    assert [item["name"].lower() for item in post["tags"]] == ["works"]
    await meeting.send("update_article")
    assert plain((await meeting.status(ARTICLE))["content"]) == "A latheThe lathe turns."
    await meeting.send("delete_article")
    assert await meeting.ann.texts() == []
    assert await meeting.faults() == []


async def test_an_article_is_withdrawn_and_published_again(company: Company) -> None:
    """A post that becomes a draft is emptied by an Update, and comes back by a second Create with its `updated`."""
    meeting = await met(company)
    await meeting.send("create_article")
    await meeting.send("update_withdrawn")
    assert plain((await meeting.status(ARTICLE))["content"]) == "(This post is being modified)"
    latest = format_time(company.clock.now() + timedelta(seconds=10))
    await meeting.send("create_again", latest=latest)
    assert plain((await meeting.status(ARTICLE))["content"]) == "A latheThe lathe turns."
    await meeting.send("update_withdrawn")
    assert plain((await meeting.status(ARTICLE))["content"]) == "A latheThe lathe turns."
    assert len(await meeting.ann.texts()) == 1


async def test_a_warning_of_an_article_is_one(company: Company) -> None:
    """The plugin puts it where the excerpt was, and says `sensitive`."""
    meeting = await met(company)
    await meeting.send("create_warned")
    post = await meeting.status(f"{HOST}/?p=8")
    assert (post["spoiler_text"], post["sensitive"]) == ("an accident", True)


async def test_a_comment_a_like_and_a_boost(company: Company) -> None:
    meeting = await met(company)
    mine = await meeting.publish("look")
    await meeting.send("create_reply", post=mine["uri"])
    assert (await meeting.status(f"{HOST}/?c=9"))["in_reply_to_id"] == mine["id"]
    for name in ("like", "announce"):
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (1, 1)
    for name in ("undo_like", "undo_announce"):
        await meeting.send(name, post=mine["uri"])
    shown = await meeting.status(mine["uri"])
    assert (shown["favourites_count"], shown["reblogs_count"]) == (0, 0)
    assert await meeting.faults() == []


async def test_a_blog_is_a_group_that_announces_whole_activities(company: Company) -> None:
    meeting = await met(company)
    group_id = await meeting.ann.find("blog@wordpress.example")
    await meeting.ann.post(f"/api/v1/accounts/{group_id}/follow")
    await company.settle()
    follow = meeting.server.got("Follow")[-1]
    await meeting.send("accept_follow_blog", follow=follow["id"])
    meeting.server.serve(meeting.server.read_file("create_article")["object"])
    await meeting.send("announce_create")
    shown = await meeting.ann.get(f"/api/v1/timelines/list/{group_id}")
    assert [item["account"]["acct"] for item in shown] == ["will@wordpress.example"]


async def test_a_follow_is_undone(company: Company) -> None:
    meeting = await met(company)
    await meeting.send("undo_follow")
    account_id = await meeting.ann.find(meeting.name)
    (relation,) = await meeting.ann.get("/api/v1/accounts/relationships", **{"id[]": account_id})
    assert (relation["followed_by"], relation["following"]) == (False, True)


async def test_everybody_answers_in_a_blog_where_only_moderators_post(company: Company) -> None:
    meeting = await met(company)
    group_id = await meeting.ann.find("blog@wordpress.example")
    await meeting.ann.post(f"/api/v1/accounts/{group_id}/follow")
    await company.settle()
    await meeting.send("accept_follow_blog", follow=meeting.server.got("Follow")[-1]["id"])
    await meeting.send("create_article")
    await meeting.send("announce_create")
    article = await meeting.status(ARTICLE)
    begun = await meeting.ann.send("POST", "/api/v1/statuses", status="@blog@wordpress.example may I?")
    assert begun.status_code == 403
    mine = await meeting.publish("@will@wordpress.example how heavy is it?", in_reply_to_id=article["id"])
    create = meeting.server.got("Create")[-1]
    assert create["object"]["inReplyTo"] == ARTICLE
    assert (await meeting.status(ARTICLE))["replies_count"] == 1
    ben = await meeting.finance.person("ben")
    below = await ben.get(f"/api/v1/statuses/{article['id']}/context")
    assert [item["id"] for item in below["descendants"]] == [mine["id"]]


@pytest.mark.parametrize("name", ["create_reply", "create_post_reply"])
async def test_who_is_answered_hears_of_it(company: Company, name: str) -> None:
    """A comment names them by their page, a post of the blog that answers not at all; both are addressed to them."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    answer = await meeting.send(name, post=mine["uri"])
    (told,) = await meeting.ann.get("/api/v1/notifications", **{"types[]": "mention"})
    assert told["status"]["uri"] == answer["object"]["id"]
    named = [item["acct"] for item in told["status"]["mentions"]]
    assert named == (["ann"] if name == "create_reply" else [])
    assert await meeting.faults() == []


async def test_a_page_is_the_document_for_a_server_that_signs(company: Company) -> None:
    """People paste such addresses into their server, and WordPress does not sign anew after a redirect."""
    meeting = await met(company)
    mine = await meeting.publish("look")
    inside = await meeting.ann.publish("for us", reach="company")
    for url, uri in ((meeting.ann.account.url, meeting.ann.account.uri), (mine["url"], mine["uri"])):
        answer = await meeting.server.read(meeting.finance, url, signer=WILL)
        assert (answer.status_code, answer.json()["id"]) == (200, uri)
    for url in (inside["url"], inside["url"].replace("@ann", "@nobody"), f"{meeting.finance.origin}/@nobody"):
        assert (await meeting.server.read(meeting.finance, url, signer=WILL)).status_code == 404
