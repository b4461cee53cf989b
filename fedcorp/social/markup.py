"""HTML of strangers: makes it harmless, and takes the text out of it.

Pure, and linear in the length of its input; never decides what may be shown to whom.
"""

import re
from html import escape, unescape

import nh3

MAX_HTML = 100_000
"""Bytes of UTF-8 that `sanitize` reads and returns at most."""
MAX_DEPTH = 40
"""Elements within each other that `sanitize` keeps at most."""
LINK_REL = "nofollow noopener noreferrer"
"""`rel` of every link that leaves the instance."""

_SAFE_REL = f"{LINK_REL} ugc"
_TAG_REL = f"tag {_SAFE_REL}"
_CLASSES = {"mention", "hashtag", "ellipsis", "invisible", "quote-inline", "u-url", "h-card"}
# Words in a row read better here than one quoted name a line.
_ELEMENTS = frozenset(
    "p br a span blockquote code pre em strong b i u s del ul ol li ruby rt rp sup sub abbr".split()  # noqa: SIM905
)

# The gate: whatever `_balanced` hands over, nothing outside this list leaves the module.
_GATE = nh3.Cleaner(
    tags=_ELEMENTS,
    attributes={"a": {"href"}, "ol": {"start", "reversed"}, "li": {"value"}, "abbr": {"title"}},
    tag_attribute_values={"a": {"rel": {_SAFE_REL, _TAG_REL}, "target": {"_blank"}}},
    allowed_classes=dict.fromkeys(("a", "span", "p"), _CLASSES),
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)

_HEADINGS = {f"h{level}" for level in range(1, 7)}
_BLOCKS = {"p", "blockquote", "pre", "ul", "ol", "li"}
_RUBY_PARTS = {"rt", "rp"}
_ENDED_BY_RUBY_PARTS = {"p", "li", *_RUBY_PARTS}
_LIST_SCOPE = {"li", "ul", "ol", "blockquote", "pre"}
_UNSEEN = frozenset(
    "head iframe math noembed noframes noscript script style svg template textarea title xmp".split()  # noqa: SIM905
)
_CELLS = frozenset(("td", "th"))
_ENDS_LINE = frozenset(
    "article aside dd details div dl dt fieldset figure footer form header hr main nav section tr".split()  # noqa: SIM905
)

_MARKUP = re.compile(
    r"""
    <!--.*?(?:-->|\Z) | <[!?][^>]*+>?
  | <(?P<close>/?)(?P<name>[a-zA-Z][^\s/<>]*+)(?P<attributes>(?:=\s*+"[^"<]*+" | =\s*+'[^'<]*+' | [^<>])*)(?P<end>>?)
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(?<![\w:-])([a-zA-Z][\w:-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>][^\s<>]*+))""")
_REVERSED = re.compile(r"(?<![\w:-])reversed(?![\w:-])", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,6}")
_ATTRIBUTES = {"ol": "start", "li": "value", "abbr": "title"}  # of those without classes: the one that is kept
_MAX_TITLE = 200


def _start_tag(name: str, source: str) -> str:
    """The start tag that we write for `name`: only what the gate lets through, in one fixed order."""
    if name not in ("a", "span", "p", *_ATTRIBUTES) or (not source and name != "a"):
        return f"<{name}>"
    given: dict[str, str] = {}
    for key, double, single, bare in _ATTRIBUTE.findall(source):
        given.setdefault(key.lower(), unescape(double or single or bare))
    if name in _ATTRIBUTES:
        return f"<{name}{_kept_attribute(name, given)}{_if_reversed(name, source)}>"
    classes = " ".join(dict.fromkeys(c for c in given.get("class", "").split() if c in _CLASSES))
    tag = f'<{name} class="{classes}"' if classes else f"<{name}"
    if name != "a":
        return tag + ">"
    rel = _TAG_REL if "tag" in given.get("rel", "").lower().split() else _SAFE_REL
    href = given.get("href", "").strip()
    link = f' href="{escape(href)}"' if href.lower().startswith(("http://", "https://", "mailto:")) else ""
    return f'<a{link}{tag[2:]} target="_blank" rel="{rel}">'


def _kept_attribute(name: str, given: dict[str, str]) -> str:
    key = _ATTRIBUTES[name]
    value = given.get(key, "").strip()
    if key == "title":
        value = " ".join(value.replace("<", " ").replace(">", " ").split())[:_MAX_TITLE].strip()
    elif not _NUMBER.fullmatch(value):
        value = ""
    return f' {key}="{escape(value)}"' if value else ""


def _if_reversed(name: str, source: str) -> str:
    return ' reversed=""' if name == "ol" and _REVERSED.search(source) else ""


class _Balanced:
    """Writes allowed elements only, each closed in order and at most MAX_DEPTH deep.

    An HTML parser repairs unclosed formatting by repeating it, so 80 kB of `<b id=1><p><b id=2><p>` become 126 MB in
    19 seconds. What this class writes needs no repair, and cleaning it again changes nothing.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.stack: list[str] = []
        self.too_deep = 0
        self.fresh_line = True
        self.in_row = False

    def text(self, text: str) -> None:
        if text:
            self.parts.append(text.replace("<", "&lt;"))
            self.fresh_line = False

    def close_through(self, name: str) -> None:
        while self.stack:
            last = self.stack.pop()
            self.parts.append(f"</{last}>")
            if last in _BLOCKS:
                self.fresh_line = True
            if last == name:
                return

    def _close_implied(self, name: str) -> None:
        """Closes what an HTML parser would close before `name` opens."""
        if name == "a" and "a" in self.stack:
            self.close_through("a")
        if name == "li":
            scope = next((open_ for open_ in reversed(self.stack) if open_ in _LIST_SCOPE), None)
            if scope == "li":
                self.close_through("li")
        if name in _BLOCKS and "p" in self.stack:
            self.close_through("p")
        while name in _RUBY_PARTS and self.stack[-1] in _ENDED_BY_RUBY_PARTS:
            self.close_through(self.stack[-1])

    def open(self, name: str, attributes: str) -> None:
        if name in _RUBY_PARTS and "ruby" not in self.stack:
            return
        self._close_implied(name)
        if len(self.stack) >= MAX_DEPTH:
            self.too_deep += 1
            return
        self.stack.append(name)
        self.parts.append(_start_tag(name, attributes))
        if name in _BLOCKS:
            self.fresh_line = True

    def end(self, name: str) -> None:
        if self.too_deep:
            self.too_deep -= 1
        elif name in self.stack:
            self.close_through(name)

    def line_break(self) -> None:
        self.parts.append("<br>")
        self.fresh_line = True

    def tag(self, name: str, closes: bool, attributes: str) -> None:
        if name in _HEADINGS:
            if closes:
                self.end("p")
            else:
                self.open("p", "")
                self.open("strong", "")
        elif name == "br":
            self.line_break()
        elif name in _CELLS:
            if self.in_row and not closes:
                self.text(" | ")  # tables are not kept, but "10" beside "20" must not become "1020"
            self.in_row = True
        elif name in _ENDS_LINE:
            self.in_row = self.in_row and name != "tr"
            if not self.fresh_line:
                self.line_break()
        elif name in _ELEMENTS:
            if closes:
                self.end(name)
            else:
                self.open(name, attributes)


def _balanced(html: str) -> str:
    """`html` reduced to balanced allowed elements; links and classes not yet vetted: that is the gate's work."""
    writer = _Balanced()
    position = 0
    unseen = ""
    for match in _MARKUP.finditer(html):
        if not unseen:
            writer.text(html[position : match.start()])
        position = match.end()
        if not match["end"]:
            continue
        name, closes = match["name"].lower(), bool(match["close"])
        if unseen:
            unseen = "" if closes and name == unseen else unseen
        elif name in _UNSEEN:
            unseen = "" if closes else name
        else:
            writer.tag(name, closes, match["attributes"])
    if not unseen:
        writer.text(html[position:])
    writer.close_through("")
    return "".join(writer.parts)


_PRE_NEWLINES = re.compile(r"<pre>\n+")


def _cut(html: str, limit: int) -> str:
    return html.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore")


def _passed(html: str) -> str:
    clean = _GATE.clean(_balanced(html)).replace("\r", "\n")
    # A parser swallows one newline here each time it reads.
    return _PRE_NEWLINES.sub("<pre>", clean) if "<pre>\n" in clean else clean


def sanitize(html: str) -> str:
    """HTML of a stranger made safe to show: the few elements of posts, no style, no script, links marked as foreign.

    Kept are also readings (`ruby`), raised and lowered letters, the numbers of lists and the `title` of an `abbr`, of
    which 200 characters. Headings become strong paragraphs, unknown elements leave their text behind, `rel` is forced
    (a `tag` in it is kept). At most 100 kB are read and returned, at most 40 elements lie within each other.
    Idempotent. Raises nothing.
    """
    clean = _passed(_cut(html, MAX_HTML))
    if len(clean) * 4 > MAX_HTML and len(clean.encode()) > MAX_HTML:
        # Now that all is escaped, a second pass adds no more than some closing tags.
        clean = _passed(_cut(clean, MAX_HTML - MAX_DEPTH * len("</blockquote>") - 100))
    return clean


_TAGS = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_LINE_ENDS = {"/p": "\n\n", "/li": "\n", "/blockquote": "\n\n", "/pre": "\n\n", "/ul": "\n", "/ol": "\n"}
_SPACE_AROUND_BREAK = re.compile(r"[^\S\n]*\n[^\S\n]*")
_MANY_NEWLINES = re.compile(r"\n{3,}")


def _as_text(match: re.Match[str]) -> str:
    name = match[2].lower()
    return "\n" if name == "br" else _LINE_ENDS.get(match[1] + name, "")


def plain(html: str) -> str:
    """The text of sanitised HTML, for previews and search: paragraphs and breaks become newlines, entities characters.

    The result is text and must be escaped before it is shown as HTML.
    """
    source = html if "<pre" in html else html.replace("\n", " ")
    text = unescape(_TAGS.sub(_as_text, source))
    return _MANY_NEWLINES.sub("\n\n", _SPACE_AROUND_BREAK.sub("\n", text)).strip()


# -- text that some take for HTML ------------------------------------------------------------------------------------

# Every element that a browser knows or once knew, and how the words of another vocabulary begin.
_NAMES = _ELEMENTS | _HEADINGS | _UNSEEN | _ENDS_LINE
_NAMES |= set(
    """
    address acronym applet area audio base basefont bdi bdo bgsound big blink body button canvas caption center cite
    col colgroup command content data datalist dfn dialog dir embed fieldset figcaption font frame frameset hgroup html
    image img input ins isindex kbd keygen label legend link listing map mark marquee menu menuitem meta meter multicol
    nextid nobr noindex object optgroup option output param picture plaintext portal progress q rb rtc samp search
    select selectedcontent shadow slot small source spacer strike summary table tbody td tfoot th thead time track tt
    var video wbr
    """.split()  # noqa: SIM905
)
_SIGN = "\ue000"  # stands for a "<" that begins no tag, until all tags are gone
_AFTER_SIGN = re.compile(r"(?P<close>/?)(?P<name>[a-zA-Z][^\s/<>\ue000]*+)(?P<rest>[^>]*+)(?P<end>>?)")
_TELLING = re.compile(r"""[\s/"'](?:on[a-z]+|style|class|id|href|src)\s*+=""", re.IGNORECASE)
MAX_WORDS = 2000


def plain_words(text: str) -> str:
    """The text of a field that is plain text with some servers and HTML with others, at most MAX_WORDS code points.

    Markup goes, as in `sanitize` and `plain`. A `<` stays where it begins no tag: before what is no element's name
    (`x<y`), or a tag that never ends. What stays is no markup either, also when it stands where other markup was.
    """
    found = plain(sanitize(_signed(_cut(text.replace(_SIGN, ""), MAX_HTML))))[:MAX_WORDS]
    parts = found.split(_SIGN)
    kept = [parts[-1]]
    for before in reversed(parts[:-1]):  # from the end: what follows a sign is final when it is judged
        rest = "".join(reversed(kept))
        match = _AFTER_SIGN.match(rest)
        if match is not None and _is_markup(match):
            kept = [rest[match.end() :]]
        else:
            kept.append("<")
        kept.append(before)
    return "".join(reversed(kept)).strip()


def _signed(html: str) -> str:
    """`html` with _SIGN for every `<` that begins no tag, comment or declaration."""
    parts: list[str] = []
    position = 0
    for match in _MARKUP.finditer(html):
        parts.append(html[position : match.start()].replace("<", _SIGN))
        name = match["name"]
        is_tag = name is None or (match["end"] and (match["close"] or _is_name(name)))
        parts.append(match[0] if is_tag else match[0].replace("<", _SIGN))
        position = match.end()
    parts.append(html[position:].replace("<", _SIGN))
    return "".join(parts)


def _is_name(name: str) -> bool:
    return name.lower() in _NAMES or ":" in name


def _is_markup(match: re.Match[str]) -> bool:
    """Whether a browser could take what follows a `<` for a tag that does or hides something."""
    if match["close"] or (match["end"] and _is_name(match["name"])):
        return True
    return _TELLING.search(match["rest"]) is not None
