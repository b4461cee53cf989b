"""What a page says of itself, whoever wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.social import page_heads
from fedcorp.social.page_heads import MAX_TEXT, MAX_TITLE, first_link, names, only_link, read

pytestmark = pytest.mark.once

URL = "https://wiki.example.com/a/b"


def test_the_words_of_open_graph_come_first() -> None:
    head = read(
        b'<title>t</title><meta property="og:title" content="o &amp; p"><meta name=description content=d>', "", URL
    )
    assert (head.title, head.description, head.image) == ("o & p", "d", None)
    assert read(b"<title> a\n b </title><title>c</title>", "text/html", URL).title == "a b"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("<title>caf\u00e9</title>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="latin-1"><title>caf\u00e9</title>'.encode("latin-1"), "text/html"),
        ("<title>caf\u00e9</title>".encode(), "text/html; charset=no-such"),
    ],
)
def test_the_letters_are_those_that_were_meant(content: bytes, kind: str) -> None:
    assert read(content, kind, URL).title == "caf\u00e9"


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ("/x.png", "https://wiki.example.com/x.png"),
        ("//cdn.example.com/x.png", "https://cdn.example.com/x.png"),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,xx", None),
        ("https://user@evil.example/x", None),
    ],
)
def test_pictures_are_of_the_web(given_: str, found: str | None) -> None:
    assert read(f'<meta property="og:image" content="{given_}">'.encode(), "", URL).image == found


def test_pages_name_themselves() -> None:
    head = read(b'<a rel="nofollow me" href="https://a.example/@ann/">x</a><link rel=me href=/b><a href=/c>', "", URL)
    assert names(head, "https://a.example/@ann")
    assert names(head, "https://wiki.example.com/b#x")
    assert not names(head, "https://wiki.example.com/c")


def test_links_of_posts() -> None:
    mention = '<a href="https://a.example/@ann" class="u-url mention">@ann</a>'
    tag = '<a href="https://a.example/tags/x" class="mention hashtag" rel="tag">#x</a>'
    assert first_link(f'<p>{mention} {tag} <a href="https://b.example/y#z">y</a> <a href="https://c.example">') == (
        "https://b.example/y"
    )
    assert first_link(f"<p>{mention} {tag}</p>") is None
    assert first_link("no href") is None
    assert only_link('<a href="https://b.example/y">y</a>') == "https://b.example/y"
    assert only_link('<a href="https://b.example/y">y</a> <a href="https://b.example/z">z</a>') is None


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_anything_can_be_read(content: bytes, kind: str) -> None:
    head = read(content, kind, URL)
    assert len(head.title) <= MAX_TITLE
    assert len(head.description) <= MAX_TEXT


@given(st.text(max_size=500))
def test_any_words_have_links_or_none(text: str) -> None:
    for found in (first_link(f"href{text}"), only_link(f"href{text}")):
        assert found is None or page_heads.is_web(found)
