"""Text of posts: what is found in it, what HTML it becomes, and that no HTML of others does harm."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fedcorp.social.markup import MAX_DEPTH, MAX_HTML, MAX_WORDS
from fedcorp.social.text import (
    MentionTarget,
    find_mentions,
    find_tags,
    find_urls,
    length,
    normalise_tag,
    one_line,
    plain,
    plain_words,
    render,
    sanitize,
)

pytestmark = pytest.mark.once

BOB = MentionTarget("https://hr.example/@bob", "bob", "bob")
ANN = MentionTarget("http://finance.localhost:8001/@ann", "ann@finance.localhost:8001", "ann")
TARGETS = {"bob": BOB, "ann@finance.localhost:8001": ANN}


def html_of(text: str) -> str:
    return render(text, mentions=TARGETS, tag_url=lambda name: f"https://hr.example/tags/{name.lower()}")


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@ann", ["ann"]),
        ("Thanks, @Ann.", ["ann"]),
        ("(@ann_b-c.d)", ["ann_b-c.d"]),
        ("@ann@finance.localhost:8001, hello", ["ann@finance.localhost:8001"]),
        ("@ann@finance.localhost:8001: hello", ["ann@finance.localhost:8001"]),
        ("@ann@HR.Example: hello", ["ann@hr.example"]),
        ("@ann@bücher.example", ["ann@bücher.example"]),
        ("@ann@host:123456", ["ann@host"]),
        ("@ann @bob\n@carl", ["ann", "bob", "carl"]),
        ("mail ann@hr.example or x@ann", []),
        ("https://hr.example/@ann and hr.example/@ann", []),
        ("@anné @@ann =@ann @-ann @ ann", []),
    ],
)
def test_mentions(text: str, handles: list[str]) -> None:
    found = find_mentions(text)
    assert [mention.handle for mention in found] == handles
    assert all(text[m.start : m.end].lower() == "@" + m.handle for m in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#leave", ["leave"]),
        ("(#Leave_2026!) #q4", ["Leave_2026", "q4"]),
        ("#2026 # #_ a#b /#c =#d &#e", []),
        ("#日本語 #हिन्दी #Größe \uff03全角", ["日本語", "हिन्दी", "Größe", "全角"]),
        ("#a·b· #شب\u200cبخیر", ["a·b", "شب\u200cبخیر"]),
        ("https://hr.example/#frag", []),
        ("#one#two", ["one"]),
    ],
)
def test_tags(text: str, names: list[str]) -> None:
    found = find_tags(text)
    assert [tag.name for tag in found] == names
    assert all(text[tag.start + 1 : tag.end] == tag.name for tag in found)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://hr.example/a, and http://wiki/", ["https://hr.example/a", "http://wiki/"]),
        ("(https://hr.example/a_(b))", ["https://hr.example/a_(b)"]),
        ("<https://hr.example/?q=1&r=2#x>!", ["https://hr.example/?q=1&r=2#x"]),
        ("HTTPS://HR.example", ["HTTPS://HR.example"]),
        ("http://finance.localhost:8001/@ann.", ["http://finance.localhost:8001/@ann"]),
        ("https://hr.example@evil.example/ xhttps://a.example https:// javascript://a.example", []),
        ("見て https://hr.example/あ。次", ["https://hr.example/あ"]),
    ],
)
def test_urls(text: str, urls: list[str]) -> None:
    assert [link.url for link in find_urls(text)] == urls


def test_length_counts_as_mastodon_does() -> None:
    assert length("") == 0
    assert length("https://hr.example/" + "a" * 200) == 23
    assert length("@ann@finance.localhost:8001 hi") == len("@ann hi")
    assert length("@ann hi\r\n#tag") == len("@ann hi\n#tag")


def test_one_tag_has_one_form() -> None:
    assert normalise_tag("#Café") == normalise_tag("cafe") == normalise_tag("\uff23\uff21\uff26\uff25\u0301")
    assert normalise_tag("ÅØŁ") == "aol"
    assert normalise_tag("Größe") == "große"
    assert normalise_tag("हिन्दी") == "हिन्दी"
    assert normalise_tag("a b!") == "ab"
    assert normalise_tag("I\u2764\ufe0ftea") == "itea"


@pytest.mark.parametrize("name", ["", "#", "#\u2764\ufe0f", "\U0001f404", "\u200d", "\u0301"])
def test_pictures_marks_and_joiners_alone_are_no_tag(name: str) -> None:
    assert normalise_tag(name) == ""


@given(st.text())
def test_normalising_a_tag_twice_changes_nothing(name: str) -> None:
    assert normalise_tag(normalise_tag(name)) == normalise_tag(name)


def test_render_writes_what_mastodon_writes() -> None:
    bob = '<span class="h-card"><a href="https://hr.example/@bob" class="u-url mention">@<span>bob</span></a></span>'
    leave = '<a href="https://hr.example/tags/leave" class="mention hashtag" rel="tag">#<span>Leave</span></a>'
    html = html_of("Hi @bob,\nsee #Leave\n\n\nBye <3 & all")
    assert html == f"<p>Hi {bob},<br />see {leave}</p><p>Bye &lt;3 &amp; all</p>"
    assert html_of(" \n ") == ""
    assert html_of("@nobody") == "<p>@nobody</p>"


def test_a_long_link_hides_its_ends_without_losing_them() -> None:
    html = html_of("https://www.hr.example/a/very/long/path/that/is/cut?x=1&y=2")
    assert (
        '<span class="invisible">https://www.</span><span class="ellipsis">hr.example/a/very/long/path/th</span>'
        in html
    )
    assert plain(html) == "https://www.hr.example/a/very/long/path/that/is/cut?x=1&y=2"


def test_namesakes_show_their_domain() -> None:
    targets = {**TARGETS, "ann": MentionTarget("https://hr.example/@ann", "ann", "ann")}
    html = render("@ann @ann@finance.localhost:8001 @bob", mentions=targets, tag_url=str)
    assert plain(html) == "@ann @ann@finance.localhost:8001 @bob"
    assert plain(html_of("@ann@finance.localhost:8001")) == "@ann"


WRITTEN = [
    "@bob", "#tag", "https://a.example/x?y=1&z=<", "\n", "\n\n", " ", "<b>", "</p>", "&amp;", '"', "'", "<script>",
    "javascript:", "&lt;", "https://a.example/" + "long/" * 9, "@", "#", "://", "<!--",
]  # fmt: skip
WRITING = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), st.sampled_from(WRITTEN))
).map("".join)


def words(text: str) -> list[str]:
    return text.split()


@given(WRITING)
def test_rendered_text_reads_back(text: str) -> None:
    assert words(plain(html_of(text))) == words(text)


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(WRITING)
def test_render_writes_only_its_own_elements(text: str) -> None:
    html = html_of(text)
    for tag, attributes in Seen(html).tags:
        assert tag in {"p", "br", "a", "span"}
        assert set(attributes) <= {"href", "class", "rel", "target"}
        assert (attributes.get("href") or "http").lower().startswith("http")
    assert re.sub(r"</?(p|br|a|span)[^<>]*>", "", html).count("<") == 0


@given(WRITING)
def test_what_we_render_survives_the_cleaning_of_others(text: str) -> None:
    assert words(plain(sanitize(html_of(text)))) == words(text)


def test_targets_cannot_break_out() -> None:
    evil = MentionTarget('https://x/"><script>', "a", '<img src=x onerror="1">')
    html = render("@bob #tag", mentions={"bob": evil}, tag_url=lambda name: 'https://x/"onclick="')
    assert [tag for tag, _ in Seen(html).tags] == ["p", "span", "a", "span", "a", "span"]
    assert all("onclick" not in attributes for _, attributes in Seen(html).tags)


def test_one_line() -> None:
    assert one_line("  a\n\tb\x00c\u202e ", 50) == "a b c"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


REL = 'target="_blank" rel="nofollow noopener noreferrer ugc"'


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>a<br/>b</p>", "<p>a<br>b</p>"),
        ("<script>alert(1)</script>x<style>y</style>", "x"),
        ("<h1 class=x>T</h1>b", "<p><strong>T</strong></p>b"),
        ("a<div>b</div><div>c</div>", "a<br>b<br>c<br>"),
        ('<p style="color:red" id=a onclick=b class="quote-inline evil">x</p>', '<p class="quote-inline">x</p>'),
        ('<a href="javascript:alert(1)">x</a>', f"<a {REL}>x</a>"),
        ('<a href="java&#10;script:alert(1)">x</a>', f"<a {REL}>x</a>"),
        ('<a href="/relative">x</a>', f"<a {REL}>x</a>"),
        ("<a href=https://a.example/?b=1&amp;c=2>x", f'<a href="https://a.example/?b=1&amp;c=2" {REL}>x</a>'),
        ("<a href='mailto:a@b.example' rel=me>x</a>", f'<a href="mailto:a@b.example" {REL}>x</a>'),
        ("<img src=x onerror=alert(1)>", ""),
        ("<form action=/x><input><button>go</button></form>", "go<br>"),
        ("1 < 2 <3 <!-- no --> & &lt;b&gt;", "1 &lt; 2 &lt;3  &amp; &lt;b&gt;"),
        ("<b><p>x</b>y", "<b><p>x</p></b>y"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<table><tr><th>a</th><td>10</td><td>20</td></tr><tr><td>b<td>c</table>", "a | 10 | 20<br>b | c"),
        ("<pre>\n\n a\n b</pre>", "<pre> a\n b</pre>"),
        (
            "<ruby>漢<rp>(</rp><rt onclick=x>かん</rt><rp>)</rp></ruby>",
            "<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>",
        ),
        ("<ruby>漢<rt>かん<rt>kan</ruby>x", "<ruby>漢<rt>かん</rt><rt>kan</rt></ruby>x"),
        ("<ruby>a<p>b<rt>c", "<ruby>a<p>b</p><rt>c</rt></ruby>"),
        ("<rt>a</rt><rp>b", "ab"),
        ("x<sup style=color:red>2</sup><sub>i", "x<sup>2</sup><sub>i</sub>"),
        ('<abbr title="a &quot;b&quot; &lt;i&gt;&#10;c" lang=x>d</abbr>', '<abbr title="a &quot;b&quot; i c">d</abbr>'),
        ("<abbr title=''>a</abbr><abbr onclick=b>c</abbr>", "<abbr>a</abbr><abbr>c</abbr>"),
        (
            "<ol reversed start='3'><li value=7>a<li value=x>b",
            '<ol start="3" reversed=""><li value="7">a</li><li>b</li></ol>',
        ),
        ("<ol start=1e9 type=a><li>x", "<ol><li>x</li></ol>"),
        ("\ud800a", "a"),
        ("<!-- open", ""),
        ("<svg><a href=x>", ""),
    ],
)
def test_sanitize(html: str, clean: str) -> None:
    assert sanitize(html) == clean
    assert sanitize(clean) == clean


def test_a_tag_stays_a_tag() -> None:
    clean = sanitize('<a href="https://a.example/tags/hr" class="mention hashtag x" rel="tag">#<span>hr</span></a>')
    assert 'class="mention hashtag"' in clean
    assert 'rel="tag nofollow noopener noreferrer ugc"' in clean


PIECES = """
<p> </p> <br> <a> </a> <b> </b> <i> <em> </i> <ul> <li> </li> </ul> <ol> <blockquote> </blockquote> <pre> </pre>
<code> </code> <span> </span> <h1> </h1> <h3> <div> </div> <table> <tr> <td> </table> <button> <select> <script>
</script> <style> </style> <svg> <math> <mi> <mglyph> </svg> <textarea> <title> <plaintext> <xmp> <template>
<noscript> </noscript> <form> <input> <img/src=x/onerror=alert(1)> <body/onload=x> <!-- --> <![CDATA[ ]]> <? </ < >
& &lt; &lt;script&gt; &#13; &#0; &#10; &amp;lt; &nbsp &quot; javascript: onclick=x style=x " ' = / //
<a/href=javascript:x> <option> <p/class=h-card> <del> <a/href=https://a.example/?a&b/class=mention/rel=tag> <s> <u>
<strong> </strong> <nobr> <font> <object> <applet> <marquee> <frameset> <hr> <image> </br> <ruby>
<rt> <rp> </rt> </rp> </ruby> <sup> </sup> <sub> <abbr> </abbr> <ol/start=2/reversed> <li/value=-1> </p
"""
SPACED = [
    "<a href='java\tscript:x'>", '<a href=" https://b.example/<" title=">">', "<a rel=tag href=//x>", "\n", " ", "\r\n",
    '<p style="background:url(x)" onclick="x">', '<span class="mention evil">', "<b id=1>", "<b id=2>",
    "<abbr title='\r&amp;&nbsp;&#39;&lt;'>", '<abbr title=">">', "<abbr title=&quot;>",
]  # fmt: skip
MARKUP = st.lists(
    st.one_of(st.sampled_from(PIECES.split()), st.sampled_from(SPACED), st.text(max_size=4)), max_size=60
).map("".join)


@given(MARKUP)
@example("<pre>&#10;\n\nx")
@example("<p><button><p>x")
@example("<b id=1><p>" * 60)
def test_sanitize_is_idempotent(html: str) -> None:
    once = sanitize(html)
    assert sanitize(once) == once


ALLOWED = set(
    "p br a span blockquote code pre em strong b i u s del ul ol li ruby rt rp sup sub abbr".split()  # noqa: SIM905
)
ATTRIBUTES = {"a": {"href", "rel", "target", "class"}, "ol": {"start", "reversed"}, "li": {"value"}, "abbr": {"title"}}
CLASSES = {"mention", "hashtag", "ellipsis", "invisible", "quote-inline", "u-url", "h-card"}


@given(MARKUP)
def test_nothing_active_passes(html: str) -> None:
    clean = sanitize(html)
    assert "<script" not in clean.lower()
    assert "<style" not in clean.lower()
    for tag, attributes in Seen(clean).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ATTRIBUTES.get(tag, {"class"})
        assert set((attributes.get("class") or "").split()) <= CLASSES
        if tag == "a":
            assert (attributes.get("href") or "https:").strip().lower().startswith(("http://", "https:", "mailto:"))
            assert (attributes["rel"] or "").endswith("nofollow noopener noreferrer ugc")


@pytest.mark.parametrize(
    "piece",
    [
        "<b id={}><p>",
        "<div>",
        "<blockquote>",
        "<ul><li>",
        "<a><p>",
        '<a "',
        '<a ="',
        "<!--",
        "&",
        "<",
        "<h1>",
        "<p>é",
        "<td>",
    ],
)
def test_hostile_repetition_is_cheap_and_bounded(piece: str) -> None:
    html = "".join(piece.replace("{}", str(n)) for n in range(MAX_HTML // len(piece)))
    clean = sanitize(html)
    assert len(clean.encode()) <= MAX_HTML
    assert sanitize(clean) == clean
    assert deepest(clean) <= MAX_DEPTH
    plain(html)


def deepest(html: str) -> int:
    depth = most = 0
    for closing in re.findall(r"<(/?)(?!br)[a-z]", html):
        depth += -1 if closing else 1
        most = max(most, depth)
    return most


BROWSERS_TAGS = re.compile(
    r"</?(?:p|br|a|b|i|script|style|svg|img|h1|select|form|body|image)(?:[\s/][^>]*)?>", re.IGNORECASE
)


UNESCAPED = [*PIECES.replace("&", "").split(), *SPACED[3:8], "<y ", "<y>", "<y/", "<scr", "<<"]


@given(st.lists(st.one_of(st.sampled_from(UNESCAPED), st.text("<>/yb =", max_size=4)), max_size=40).map("".join))
@example("<scrip<b></b>t>")
@example("<<b>script>")
@example("</<b></b>p>")
def test_no_markup_is_left_or_comes_about_in_plain_words(text: str) -> None:
    found = plain_words(text)
    assert "\ue000" not in found
    assert BROWSERS_TAGS.search(found) is None
    assert re.search(r"<[^>]*[\s/]on\w+=", found) is None


@pytest.mark.parametrize("piece", ["<", "<a ", "&", "</", "<p><b>", "<y", "x<y ", "<y onclick=", "<y>", "</y "])
def test_plain_words_are_cheap_and_bounded(piece: str) -> None:
    assert len(plain_words(piece * (MAX_HTML // len(piece)))) <= MAX_WORDS


def test_content_is_cut_between_characters() -> None:
    clean = sanitize("é" * MAX_HTML)
    assert set(clean) == {"é"}
    assert len(clean.encode()) == MAX_HTML


def test_plain() -> None:
    assert plain("<p>a &amp; b<br>c</p><p>d</p>") == "a & b\nc\n\nd"
    assert plain("<ul><li>a</li><li>b</li></ul>") == "a\nb"
    assert plain("<p>a\n  b</p>") == "a   b"
    assert plain("<p>&lt;script&gt;</p>") == unescape("&lt;script&gt;")
    assert plain("") == ""
