"""Plain reading and JSON-LD reading must agree on every word that we act on; where they could not, plain is refused."""

from typing import Any

import pytest

from fedcorp.activitypub.compaction import compact, normalize
from fedcorp.activitypub.documents import read_activity
from fedcorp.activitypub.jsonld import is_plain
from fedcorp.activitypub.vocabulary import AS, PUBLIC, ids_of, types_of, value_or_id
from fedcorp.errors import BadRequest

pytestmark = pytest.mark.once

SECURITY = "https://w3id.org/security/v1"
MASTODON = {
    "@context": [AS, {"ostatus": "http://ostatus.org#", "atomUri": "ostatus:atomUri",
    "conversation": "ostatus:conversation",
                      "inReplyToAtomUri": "ostatus:inReplyToAtomUri", "sensitive": "as:sensitive",
                      "Hashtag": "as:Hashtag",
                      "toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount",
                      "blurhash": "toot:blurhash",
                      "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"}}],
    "id": "https://m.example/users/a/statuses/1/activity", "type": "Create", "actor": "https://m.example/users/a",
    "published": "2026-01-01T00:00:00Z", "to": [PUBLIC], "cc": ["https://m.example/users/a/followers",
    "https://x.example/u/b"],
    "object": {"id": "https://m.example/users/a/statuses/1", "type": "Note", "summary": None, "inReplyTo": None,
               "published": "2026-01-01T00:00:00Z", "attributedTo": "https://m.example/users/a", "to": [PUBLIC],
               "cc": ["https://m.example/users/a/followers"], "sensitive": False, "atomUri": "https://m.example/1",
               "conversation": "tag:m.example,2026:1", "content": "<p>hi</p>", "contentMap": {"en": "<p>hi</p>"},
               "tag": [{"type": "Mention", "href": "https://x.example/u/b", "name": "@b"}],
               "attachment": [{"type": "Document", "mediaType": "image/png", "url": "https://m.example/1.png",
                               "blurhash": "UBL", "focalPoint": [0.0, 0.5], "width": 3, "height": 4}]},
}  # fmt: skip
GOTOSOCIAL = {
    "@context": ["https://gotosocial.org/ns", AS, {"sensitive": "as:sensitive"}], "type": "Create",
    "id": "https://g.example/users/a/statuses/01/activity#Create", "actor": "https://g.example/users/a", "to": PUBLIC,
    "cc": "https://g.example/users/a/followers", "published": "2026-01-01T00:00:00+01:00",
    "object": {"id": "https://g.example/users/a/statuses/01", "type": "Note", "content": "<p>x</p>", "sensitive": False,
               "attributedTo": "https://g.example/users/a", "to": PUBLIC, "attachment": [], "tag": [],
               "inReplyTo": "https://x.example/o/1",
               "interactionPolicy": {"canReply": {"automaticApproval": [PUBLIC], "manualApproval": []}}},
}  # fmt: skip
LEMMY = {
    "@context": ["https://join-lemmy.org/context.json", AS], "type": "Announce", "actor": "https://l.example/c/main",
    "id": "https://l.example/activities/announce/1", "to": [PUBLIC], "cc": ["https://l.example/c/main/followers"],
    "object": {"id": "https://o.example/activities/create/1", "type": "Create", "actor": "https://o.example/u/a",
               "to": ["https://l.example/c/main", PUBLIC], "cc": [], "audience": "https://l.example/c/main",
               "object": {"id": "https://o.example/post/1", "type": "Page", "attributedTo": "https://o.example/u/a",
                          "name": "Title", "to": [PUBLIC], "sensitive": False, "stickied": False,
                          "commentsEnabled": True,
                          "language": {"identifier": "en", "name": "English"}}},
}  # fmt: skip
PIEFED = {
    "@context": [AS, SECURITY, {"lemmy": "https://join-lemmy.org/ns#", "litepub": "http://litepub.social/ns#",
                                "pt": "https://joinpeertube.org/ns#", "sc": "http://schema.org/",
                                "ChatMessage": "litepub:ChatMessage", "commentsEnabled": "pt:commentsEnabled",
                                "sensitive": "as:sensitive", "stickied": "lemmy:stickied",
                                "moderators": {"@type": "@id", "@id": "lemmy:moderators"}, "expires": "as:endTime",
                                "language": "sc:inLanguage", "identifier": "sc:identifier"}],
    "type": "Like", "id": "https://p.example/activities/like/1", "actor": "https://p.example/u/a",
    "object": "https://l.example/post/1", "audience": "https://l.example/c/main",
}  # fmt: skip
PEERS: dict[str, dict[str, Any]] = {"mastodon": MASTODON, "gotosocial": GOTOSOCIAL, "lemmy": LEMMY, "piefed": PIEFED}


def essence(doc: dict[str, Any]) -> dict[str, Any]:
    """What we act on, of a document and all that is embedded in it."""
    links = ("actor", "object", "attributedTo", "inReplyTo", "target", "context", "conversation")
    found: dict[str, Any] = {"id": doc.get("id"), "types": types_of(doc)}
    found |= {name: value_or_id(doc.get(name)) for name in links}
    found |= {name: set(ids_of(doc.get(name))) for name in ("to", "cc", "audience", "tag")}
    found |= {name: doc.get(name) for name in ("content", "name", "published", "summary", "sensitive")}
    return found | {"inner": essence(doc["object"]) if isinstance(doc.get("object"), dict) else None}


@pytest.mark.parametrize("name", PEERS)
def test_both_readings_agree(name: str) -> None:
    doc = PEERS[name]
    assert is_plain(doc)
    assert normalize(doc) is doc
    assert essence(compact(doc)) == essence(doc)


def attack(context: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [AS, context], "id": "https://evil.example/1", "type": "Like", "actor": "https://victim.example/u",
        "object": "https://victim.example/o", **changes,
    }  # fmt: skip


def test_the_real_actor_is_not_the_victim() -> None:
    doc = attack(
        {"actor": "https://evil.example/x", "realActor": {"@id": "as:actor", "@type": "@id"}},
        realActor="https://evil.example/u",
    )
    assert not is_plain(doc)
    assert read_activity(normalize(doc), b"").actor == "https://evil.example/u"


def test_two_words_for_one_actor_are_no_actor() -> None:
    doc = attack({"realActor": {"@id": "as:actor", "@type": "@id"}}, realActor="https://evil.example/u")
    assert not is_plain(doc)
    with pytest.raises(BadRequest):
        read_activity(normalize(doc), b"")


@pytest.mark.parametrize(
    "context",
    [
        {"@vocab": "https://evil.example/"},
        {"@base": "https://evil.example/"},
        {"@import": "https://evil.example/"},
        {"@propagate": False},
        {"actor": None},
        {"actor": {"@id": "as:actor", "@container": "@graph"}},
        {"actor": {"@id": "as:actor", "@type": "@json"}},
        {"actor": {"@reverse": "as:actor"}},
        {"actor": "object"},
        {"actor": "as:object"},
        {"actor": "https://evil.example/"},
        {"as": "https://evil.example/#", "actor": "as:actor"},
        {"kind": "@type"},
        {"id": "https://evil.example/id"},
        {"Praise": "as:Like"},
        {"p": "https://www.w3.org/ns/activitystreams#", "x": {"@id": "p:actor"}},
        {"thing": {"@id": "https://evil.example/t", "@context": {"actor": "https://evil.example/x"}}},
        [{"a": "b:c"}, ["nested"]],
        None,
        7,
    ],
)
def test_contexts_that_can_change_a_word_are_not_plain(context: Any) -> None:
    assert not is_plain(attack(context))
    assert not is_plain({"@context": AS, "type": "Create", "object": {"@context": context, "type": "Note"}})


@pytest.mark.parametrize(
    "key",
    ["@id", "@type", "@graph", "@reverse", "as:actor", "https://www.w3.org/ns/activitystreams#actor", "sec:owner"],
)
def test_keys_that_hide_a_word_are_not_plain(key: str) -> None:
    assert not is_plain({"@context": AS, "type": "Like", key: "x"})
    assert not is_plain({"@context": AS, "type": "Like", "object": [{"tag": {key: "x"}}]})


@pytest.mark.parametrize("kind", [1, {}, ["Like", 1], True])
def test_odd_types_are_not_plain(kind: Any) -> None:
    assert not is_plain({"@context": AS, "type": kind})


def test_unknown_contexts_count_as_empty_only_when_nothing_depends_on_them() -> None:
    doc = {**MASTODON, "@context": [AS, "https://unknown.example/context"]}
    assert normalize(doc) is doc
    with pytest.raises(BadRequest) as refusal:
        normalize({**doc, "as:actor": "https://m.example/users/a"})
    assert refusal.value.detail == "unknown-context"


def test_a_context_served_by_every_host_is_known() -> None:
    doc = {"@context": "https://any.example/schemas/litepub-0.1.jsonld", "type": "EmojiReact", "as:content": "x"}
    assert compact(doc)["content"] == "x"


def test_expanded_documents_are_compacted() -> None:
    expanded = {
        "@id": "https://x.example/1", "@type": [f"{AS}#Create"],
        f"{AS}#actor": [{"@id": "https://x.example/u"}], f"{AS}#to": [{"@id": PUBLIC}],
        f"{AS}#published": [{"@value": "2026-01-01T00:00:00Z"}],
        f"{AS}#object": [{"@id": "https://x.example/2", "@type": f"{AS}#Note", f"{AS}#content": {"@value": "hi"}}],
    }  # fmt: skip
    activity = read_activity(normalize(expanded), b"")
    assert (activity.type, activity.actor, activity.to) == ("Create", "https://x.example/u", (PUBLIC,))
    assert (activity.object_id, activity.object["content"]) == ("https://x.example/2", "hi")
    assert activity.published == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("key", ["@graph", "@included", "@reverse", "@nest", "@index"])
def test_keywords_that_rearrange_are_refused(key: str) -> None:
    alias = attack({"alias": key}, alias={"actor": "https://evil.example/u"})
    inner = {"@context": AS, "type": "Create", "object": {key: {"type": "Note"}}}
    assert not is_plain(alias)
    for doc in (inner, {"@context": AS, "type": "Create", key: [{"type": "Note"}]}):
        with pytest.raises(BadRequest):
            normalize(doc)


@pytest.mark.parametrize("key", ["@graph", "@included", "@reverse"])
def test_aliases_of_such_keywords_are_refused(key: str) -> None:
    with pytest.raises(BadRequest):
        normalize(attack({"alias": key}, alias={"as:attachment": {"type": "Note", "id": "https://evil.example/2"}}))


def test_no_proof_comes_through_compaction() -> None:
    read = normalize({"@context": AS, "as:actor": "https://x.example/u", "proof": {"type": "DataIntegrityProof"}})
    assert read == {"@context": AS, "actor": "https://x.example/u"}
    doc = {"@context": AS, "as:actor": "https://x.example/u", "object": {"type": "Note", "proof": {"x": 1}}}
    assert "proof" not in normalize(doc)["object"]


def test_work_has_a_bound() -> None:
    odd = {f"a:{key}": key for key in range(200)}
    inner = [{"@context": {"a": f"https://a.example/{number}/"}} for number in range(200)]
    many_contexts = {"@context": AS, "type": "Like", "object": inner, **odd}
    many_values = {"@context": AS, "type": "Like", "as:actor": ["https://x.example/u"] * 2000}
    for doc in (many_contexts, many_values):
        assert not is_plain(doc)
        with pytest.raises(BadRequest):
            normalize(doc)
