"""Text of posts: finds handles, tags and links in it and turns it into HTML. HTML of others is `markup`'s work.

Pure: never looks anything up, never decides who may be mentioned. Everything here is linear in the length of its input,
because the input is written by strangers.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import NamedTuple

from fedcorp.social.markup import LINK_REL, plain, plain_words, sanitize

__all__ = [
    "MAX_TAG",
    "URL_LENGTH",
    "Link",
    "Mention",
    "MentionTarget",
    "Tag",
    "find_mentions",
    "find_tags",
    "find_urls",
    "length",
    "normalise_tag",
    "one_line",
    "plain",
    "plain_words",
    "render",
    "sanitize",
]

URL_LENGTH = 23
"""What every link counts in `length`, as clients of Mastodon's API expect."""
MAX_TAG = 100
"""Longer runs of letters behind a `#` are no hashtag."""


class Mention(NamedTuple):
    """A handle as written at `text[start:end]`. `domain` is lower-cased, may carry `:port`, and is None for local."""

    username: str
    domain: str | None
    start: int
    end: int

    @property
    def handle(self) -> str:
        """The lower-cased handle: `ann` or `ann@host:port`; the key for `render`."""
        name = self.username.lower()
        return name if self.domain is None else f"{name}@{self.domain}"


class Tag(NamedTuple):
    """A hashtag as written at `text[start:end]`; `name` is without the sign."""

    name: str
    start: int
    end: int


class Link(NamedTuple):
    """An http or https URL at `text[start:end]`."""

    url: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MentionTarget:
    """Whom a handle means: page for people, handle as shown (`ann` or `ann@host`), and the bare username."""

    url: str
    acct_text: str
    username: str


def _marks() -> str:
    """A regular expression class of combining marks, which many scripts need inside words and `\\w` leaves out."""
    codes = [c for c in range(0x300, 0x10000) if unicodedata.category(chr(c))[0] == "M"]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_TAG_JOINERS = "_\u00b7\u30fb\u200c"  # may stand inside a tag; a Katakana word and a Persian one need theirs
_WORD = rf"\w{_marks()}"
_CLOSING_PUNCTUATION = ".,:;!?'\"*_~…)]"

# One class of first characters, then a look behind: so the search skips plain text quickly. Possessive quantifiers
# stand behind single characters only: behind groups, Python 3.11 may report the end of a part that had failed.
_ENTITY = re.compile(
    rf"""
    [hH@#\uff03](?:
        (?<=[hH])(?<!\w.)
        (?P<url>[tT]{{2}}[pP][sS]?://[^\s/?\#<>"`]++[^\s<>"`{{}}|\\^\u3000-\u3003\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]*+)
      | (?<=@)(?<![=/\w@].)
        (?P<username>[A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*)(?!\w)
        (?:@(?P<domain>\w++(?:[.-]++\w++)*(?::\d{{1,5}}(?!\d))?))?
      | (?<=[\#\uff03])(?<![=/)\w&].)
        (?P<tag>\w[{_WORD}{_TAG_JOINERS}]*+)
    )
    """,
    re.VERBOSE | re.DOTALL,
)


def _trimmed(url: str) -> str:
    """`url` without the punctuation of the sentence around it; a closing bracket stays when the URL opens it."""
    end = len(url)
    surplus = {")": url.count(")") - url.count("("), "]": url.count("]") - url.count("[")}
    while end and url[end - 1] in _CLOSING_PUNCTUATION:
        last = url[end - 1]
        if last in surplus:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif last == "_":
            break
        end -= 1
    return url[:end]


def _link(match: re.Match[str]) -> Link | None:
    url = _trimmed(match[0])
    authority = url.split("://", 1)[1] if "://" in url else ""
    host = re.split(r"[/?#]", authority, maxsplit=1)[0]
    # A user name before the host only serves to deceive the reader.
    if not host or "@" in host or not host[0].isalnum():
        return None
    return Link(url, match.start(), match.start() + len(url))


def _tag(match: re.Match[str]) -> Tag | None:
    name = match["tag"].rstrip("\u00b7\u30fb\u200c")
    if len(name) > MAX_TAG or not any(c.isalpha() for c in name):
        return None
    return Tag(name, match.start(), match.start() + 1 + len(name))


def _mention(match: re.Match[str]) -> Mention:
    domain = match["domain"]
    return Mention(match["username"], domain and domain.lower(), match.start(), match.end())


@lru_cache(maxsize=64)  # a text that is published is asked for its length, its mentions, its tags and its links
def _entities(text: str) -> tuple[Mention | Tag | Link, ...]:
    """Mentions, tags and links, from left to right, never overlapping."""
    return tuple(_read_entities(text))


def _read_entities(text: str) -> Iterator[Mention | Tag | Link]:
    for match in _ENTITY.finditer(text):
        found: Mention | Tag | Link | None
        if match["username"] is not None:
            found = _mention(match)
        elif match["tag"] is not None:
            found = _tag(match)
        else:
            found = _link(match)
        if found is not None:
            yield found


def find_mentions(text: str) -> list[Mention]:
    """Handles in plain text: `@ann`, `@ann@host`, `@ann@host:port`; none inside words, e-mail addresses or URLs."""
    return [found for found in _entities(text) if isinstance(found, Mention)]


def find_tags(text: str) -> list[Tag]:
    """Hashtags in plain text: letters, digits and underscore of any script, not digits alone."""
    return [found for found in _entities(text) if isinstance(found, Tag)]


def find_urls(text: str) -> list[Link]:
    """http and https URLs in plain text, without the punctuation that follows them."""
    return [found for found in _entities(text) if isinstance(found, Link)]


def length(text: str) -> int:
    """Code points as Mastodon counts them: a URL is 23, a remote mention counts as its `@username`."""
    text = text.replace("\r\n", "\n")
    total = len(text)
    for found in _entities(text):
        if isinstance(found, Link):
            total += URL_LENGTH - len(found.url)
        elif isinstance(found, Mention):
            total += 1 + len(found.username) - (found.end - found.start)
    return total


_PLAIN_LETTERS = str.maketrans("ðđħıĸłŋøŧ", "ddhiklnot")
_NOT_IN_TAG = re.compile(rf"[^{_WORD}{_TAG_JOINERS}]")


def normalise_tag(name: str) -> str:
    """The form under which a tag is stored and compared: lower case, full width and Latin accents removed.

    `#Café` and `cafe` are one tag, as in Mastodon. Returns "" when nothing of a tag is left. Idempotent; at most
    MAX_TAG code points, since some letters become several.
    """
    folded = unicodedata.normalize("NFKC", name.lstrip("#\uff03")).lower().replace("\ufe0f", "")
    parts = unicodedata.normalize("NFD", _NOT_IN_TAG.sub("", folded)).translate(_PLAIN_LETTERS)
    kept: list[str] = []
    base = ""
    for char in parts:
        if not unicodedata.combining(char):
            base = char
        elif base.isascii():
            continue
        kept.append(char)
    if all(unicodedata.category(char)[0] in "MC" for char in kept):  # marks and joiners alone are no word
        return ""
    return unicodedata.normalize("NFKC", "".join(kept))[:MAX_TAG]


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_LINK_PREFIX = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_SHOWN = 30


def _link_html(url: str) -> str:
    """A link whose visible part is short; the rest stays in the text, hidden by class, so that copying is lossless."""
    prefix = _LINK_PREFIX.match(url)
    start = prefix.end() if prefix else 0
    shown, rest = url[start : start + _SHOWN], url[start + _SHOWN :]
    middle = f'<span class="ellipsis">{escape(shown)}</span>' if rest else f"<span>{escape(shown)}</span>"
    tail = f'<span class="invisible">{escape(rest)}</span>' if rest else ""
    return (
        f'<a href="{escape(url)}" target="_blank" rel="{LINK_REL}">'
        f'<span class="invisible">{escape(url[:start])}</span>{middle}{tail}</a>'
    )


def _mention_html(target: MentionTarget, shown: str) -> str:
    return (
        f'<span class="h-card"><a href="{escape(target.url)}" class="u-url mention">'
        f"@<span>{escape(shown)}</span></a></span>"
    )


def _tag_html(sign: str, name: str, url: str) -> str:
    return f'<a href="{escape(url)}" class="mention hashtag" rel="tag">{sign}<span>{escape(name)}</span></a>'


def _paragraphs(html: str) -> str:
    body = _BLANK_LINES.sub("</p><p>", html.strip()).replace("\n", "<br />")
    return f"<p>{body}</p>" if body else ""


def render(text: str, *, mentions: Mapping[str, MentionTarget], tag_url: Callable[[str], str]) -> str:
    """Mastodon-style HTML of plain text: paragraphs, line breaks, short links, mentions, tags; all else escaped.

    `mentions` maps `Mention.handle` to its target; handles that are not in it stay text. `tag_url` gets the tag as
    written. A mention shows the username alone, or `acct_text` where two targets in this text share a username.
    """
    text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    found = list(_entities(text))
    targets = {mentions[e.handle] for e in found if isinstance(e, Mention) and e.handle in mentions}
    namesakes = Counter(target.username.lower() for target in targets)
    parts: list[str] = []
    position = 0
    for entity in found:
        if isinstance(entity, Link):
            html = _link_html(entity.url)
        elif isinstance(entity, Tag):
            html = _tag_html(text[entity.start], entity.name, tag_url(entity.name))
        elif (target := mentions.get(entity.handle)) is not None:
            alone = namesakes[target.username.lower()] == 1
            html = _mention_html(target, target.username if alone else target.acct_text)
        else:
            continue
        parts += (escape(text[position : entity.start], quote=False), html)
        position = entity.end
    parts.append(escape(text[position:], quote=False))
    return _paragraphs("".join(parts))


_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_DECEIVING = re.compile("[\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # turn the direction of text that follows


def one_line(text: str, limit: int) -> str:
    """`text` for a title, a name or a content warning: one line, no control characters, at most `limit` code points."""
    line = _SPACES.sub(" ", _DECEIVING.sub("", text)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
