"""What other servers write becomes ours: safe, within limits, and never wider than it was meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.activitypub import translate
from fedcorp.errors import BadRequest
from fedcorp.social import publishing
from fedcorp.social.publishing import Draft
from fedcorp.social.receiving import RemoteStatus
from tests.activitypub.wire import PUBLIC, Network, Stranger, Wire, pair

URI = "https://lemon.example/users/bo"
ACTOR: dict[str, Any] = {"id": URI, "type": "Person", "inbox": f"{URI}/inbox", "outbox": f"{URI}/outbox"}


def actor(**more: Any) -> Any:
    return translate.actor({**ACTOR, **more}, username="bo", domain="lemon.example", tier="partner")


def test_an_actor_is_cut_and_cleaned() -> None:
    made = actor(
        name="Bo\n" + "x" * 500,
        summary="<p onclick='x'>hi<script>alert(1)</script></p>",
        icon={"type": "Image", "url": "javascript:alert(1)", "name": "a  shark\n"},
        image=[{"type": "Image", "url": "https://lemon.example/sea.png", "summary": "the sea"}],
        attachment=[{"type": "PropertyValue", "name": "Site", "value": "<b>x</b><img src=x>"}, 7],
        published="2026-01-05T00:00:00Z",
    )
    assert len(made.display_name) <= translate.MAX_NAME
    assert "script" not in made.note
    assert made.avatar is None
    assert (made.avatar_description, made.header_description) == ("a  shark\n", "the sea")  # cut where they are kept
    assert "<img" not in made.fields[0]["value"]


def test_an_actor_names_only_what_is_its_own() -> None:
    key = {"owner": URI, "publicKeyPem": pair().rsa_public}
    made = actor(
        followers="https://victim.example/followers",
        endpoints={"sharedInbox": "https://victim.example/inbox"},
        url="https://victim.example/@bo",
        publicKey=[
            {"id": f"{URI}#main-key", **key},
            {"id": "https://victim.example/users/ann#main-key", **key},
            {"id": f"{URI}#other", **key, "owner": "https://lemon.example/users/eve"},
            {"id": f"{URI}#broken", **key, "publicKeyPem": "nonsense"},
        ],
    )
    assert [key.id for key in made.keys] == [f"{URI}#main-key"]
    assert (made.followers_uri, made.shared_inbox_uri, made.url) == (None, None, URI)
    with pytest.raises(BadRequest):
        actor(inbox="https://victim.example/inbox")


@pytest.mark.parametrize(
    ("terms", "preset"),
    [
        ({}, "open"),
        ({"manuallyApprovesFollowers": True}, "request"),
        ({"canParticipate": "member", "postingRestrictedToMods": True}, "request"),
        ({"postingRestrictedToMods": True}, "announcement"),
        ({"canParticipate": "moderator"}, "announcement"),
        ({"canFollow": "member", "canParticipate": "member"}, "private"),
        ({"canFollow": "member", "discoverable": False}, "secret"),
    ],
)
def test_a_group_is_read_by_what_it_lets_people_do(terms: dict[str, Any], preset: str) -> None:
    made = actor(type="Group", **terms)
    assert (made.kind, made.group.preset) == ("group", preset)


@pytest.mark.parametrize(
    ("tier", "scope", "reach"),
    [
        ("department", "company", "company"),
        ("department", "department", "department"),
        ("department", None, "public"),
        ("partner", "company", "partners"),
        ("partner", "partners", "partners"),
        ("partner", None, "public"),
        ("unknown", "company", "public"),
        ("department", ["x"], "public"),
    ],
)
def test_scope_means_what_the_tier_lets_it_mean(tier: str, scope: Any, reach: str) -> None:
    assert translate.reach_of({"scope": scope}, tier) == reach


async def note(finance: Wire, stranger: Stranger, tier: str = "partner", **more: Any) -> RemoteStatus:
    await finance.resolver.actor(stranger.bo)
    return await finance.db.read(translate.note, stranger.note("hello", **more), tier)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        ([PUBLIC], [], "public"),
        (["as:Public"], [], "public"),
        (["{followers}"], ["Public"], "unlisted"),
        (["{followers}"], ["http://finance.localhost/u/1"], "private"),
        (["http://finance.localhost/u/1"], [], "direct"),
        ([], [], "direct"),
    ],
)
async def test_visibility_is_read_as_mastodon_reads_it(
    finance: Wire, stranger: Stranger, to: list[str], cc: list[str], visibility: str
) -> None:
    filled = [uri.replace("{followers}", f"{stranger.bo}/followers") for uri in to]
    assert (await note(finance, stranger, to=filled, cc=cc)).visibility == visibility


@pytest.mark.anyio
async def test_a_note_is_cleaned_and_keeps_what_it_has(finance: Wire, stranger: Stranger) -> None:
    ann = await finance.person("ann")
    made = await note(
        finance,
        stranger,
        content="<p>hi <script>x</script><a href='javascript:x'>y</a></p>",
        contentMap={"nl": "<p>hi <script>x</script><a href='javascript:x'>y</a></p>"},
        summary="<b>warning</b>",
        sensitive=True,
        tag=[
            {"type": "Hashtag", "name": "#Tea"},
            {"type": "Mention", "href": ann.uri},
            {"type": "Mention", "href": "https://nobody.example/u/1"},
        ],
        attachment=[
            {"type": "Document", "mediaType": "image/png", "url": "https://lemon.example/a.png", "name": "alt"},
            {"type": "Document", "mediaType": "image/png", "url": "file:///etc/passwd"},
        ],
    )
    assert "script" not in made.content
    assert (made.language, made.spoiler_text, made.tags) == ("nl", "warning", ("Tea",))
    assert made.mentions == ((ann.id, False),)
    assert [(item.url, item.kind, item.description) for item in made.media] == [
        ("https://lemon.example/a.png", "image", "alt")
    ]


@pytest.mark.anyio
async def test_an_answer_never_goes_further_than_what_it_answers(finance: Wire, stranger: Stranger) -> None:
    ann = await finance.person("ann")
    status = await finance.db.write(publishing.publish, ann, Draft(text="for partners", reach="partners"))
    assert (await note(finance, stranger, inReplyTo=status.uri)).reach == "partners"


@pytest.mark.anyio
async def test_a_poll_is_read_with_its_tally(finance: Wire, stranger: Stranger) -> None:
    options = [
        {"type": "Note", "name": name, "replies": {"totalItems": count}} for name, count in (("a", 2), ("b", -1))
    ]
    made = await note(finance, stranger, type="Question", oneOf=options, endTime="2026-11-21T10:00:00Z", votersCount=2)
    assert made.poll is not None
    assert (made.poll.options, made.poll.multiple, made.poll.voters_count) == ((("a", 2), ("b", 0)), False, 2)


@pytest.mark.anyio
async def test_pages_and_videos_are_shown_by_title(finance: Wire, stranger: Stranger) -> None:
    made = await note(finance, stranger, type="Page", name="Gripper <spec>", content="<p>text</p>")
    assert "Gripper &lt;spec&gt;" in made.content
    assert "text" in made.content


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just("https://lemon.example/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "type", "href", "name", "url", "value", "mediaType", "replies", "totalItems"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([
    "name", "summary", "icon", "image", "attachment", "publicKey", "assertionMethod", "endpoints", "published", "url",
    "alsoKnownAs", "discoverable", "type", "scope", "updated", "followers", "webfinger", "sharedInbox",
]), ODD, max_size=6))  # fmt: skip
def test_odd_actors_are_refused_or_read_but_never_break(odd: dict[str, Any]) -> None:
    try:
        actor(**odd)
    except BadRequest:
        return


@given(st.dictionaries(st.sampled_from([
    "content", "contentMap", "summary", "tag", "attachment", "oneOf", "anyOf", "closed", "published", "name", "url",
]), ODD, max_size=6))  # fmt: skip
def test_odd_parts_of_notes_never_break(odd: dict[str, Any]) -> None:
    document = {**Stranger(Network()).note("x"), **odd}
    for read in (translate._content, translate._spoiler, translate._tags, translate._media):
        read(document)
    translate._poll(document, now=0)


@pytest.mark.parametrize(
    ("attachment", "kinds"),
    [
        ({"type": "Document", "url": "/1.png"}, [("image", "image/png")]),
        ({"type": "Document", "url": "/1.webp?x=y"}, [("image", "image/webp")]),
        ({"type": "Document", "url": "/film.mp4"}, [("video", "video/mp4")]),
        ({"type": "Document", "url": "/paper.pdf"}, [("unknown", "application/pdf")]),
        ({"type": "Document", "url": "/1.png", "mediaType": "image/jpeg"}, [("image", "image/jpeg")]),
        ({"type": "Document", "url": "/file"}, []),
        ({"type": "Document", "url": {"type": "Link", "href": "/1.gif"}}, [("image", "image/gif")]),
        ({"type": "Image", "url": "/file"}, [("image", "image/jpeg")]),
        ({"type": "Video", "url": "/file"}, [("video", "video/mp4")]),
        ({"type": "Audio", "url": "/file"}, [("audio", "audio/mpeg")]),
        ({"url": "/1.png"}, []),
    ],
)
@pytest.mark.anyio
async def test_what_a_file_is_may_stand_in_its_name_or_its_type_alone(
    finance: Wire, stranger: Stranger, attachment: Any, kinds: list[tuple[str, str]]
) -> None:
    place = "https://lemon.example/files"
    url = attachment["url"]
    whole = {**url, "href": place + url["href"]} if isinstance(url, dict) else place + url
    made = await note(finance, stranger, attachment=[{**attachment, "url": whole}])
    assert [(item.kind, item.mime) for item in made.media] == kinds


@pytest.mark.anyio
async def test_a_title_is_a_paragraph_of_its_own(finance: Wire, stranger: Stranger) -> None:
    made = await note(finance, stranger, type="Article", name="On <tea>", content="<p>Hot.</p>")
    assert made.content == "<p><strong>On &lt;tea&gt;</strong></p><p>Hot.</p>"
