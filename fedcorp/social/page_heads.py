"""What a web page says of itself: title, description, picture, author and that one's account, and whom it calls itself.

Pure: HTML in, values out. Written by strangers, so nothing of it is markup afterwards, and every text has an end.
Sources: the Open Graph protocol, HTML (title, meta, link), the microformat rel=me, and `fediverse:creator` of Mastodon.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from fedcorp.clock import to_ms
from fedcorp.social.text import one_line

MOST_CHARACTERS = 512 * 1024
MAX_TITLE, MAX_TEXT, MAX_NAME, MAX_URL, MAX_LINKS = 300, 600, 100, 2048, 500

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_CREATOR = re.compile(r"@?([^@\s/:]{1,100}@[^@\s/]{1,253})")
_NOT_A_PAGE = frozenset({"mention", "hashtag"})


@dataclass(frozen=True, slots=True)
class PageHead:
    """Texts are plain and one line; `image` an absolute address or None; `published_at` ms; `me` absolute addresses;
    `creator` the handle of an account without the first @ (`fediverse:creator`), or empty."""

    title: str
    description: str
    image: str | None
    author: str
    provider: str
    language: str | None
    published_at: int | None
    me: frozenset[str]
    creator: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.metas: dict[str, str] = {}
        self.me: list[str] = []
        self.links: list[dict[str, str]] = []
        self.language = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = not self.title
        elif tag == "html":
            self.language = given.get("lang", "")
        elif tag == "meta":
            name = (given.get("property") or given.get("name") or "").strip().lower()
            if name and len(self.metas) < MAX_LINKS:
                self.metas.setdefault(name, given.get("content", ""))
        elif tag in ("a", "link", "area") and given.get("href"):
            if "me" in given.get("rel", "").lower().split() and len(self.me) < MAX_LINKS:
                self.me.append(given["href"])
            if tag == "a" and len(self.links) < MAX_LINKS:
                self.links.append(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title and len(self.title) < MAX_TITLE:
            self.title += data


def read(content: bytes, content_type: str, url: str) -> PageHead:
    """The head of the page that was found at `url`; `content_type` is the header. Whatever is missing is empty."""
    reader = _read(_decoded(content, content_type))
    metas = reader.metas
    image = urljoin(url, metas.get("og:image") or metas.get("twitter:image") or "")
    language = reader.language.partition("-")[0].lower()
    return PageHead(
        title=one_line(metas.get("og:title") or reader.title, MAX_TITLE),
        description=one_line(metas.get("og:description") or metas.get("description", ""), MAX_TEXT),
        image=image if image != url and is_web(image) else None,
        author=one_line(metas.get("author", ""), MAX_NAME),
        provider=one_line(metas.get("og:site_name", ""), MAX_NAME),
        language=language if re.fullmatch("[a-z]{2,3}", language) else None,
        published_at=_time(metas.get("article:published_time", "")),
        me=frozenset(_plain(link) for href in reader.me if is_web(link := urljoin(url, href))),
        creator=found[1] if (found := _CREATOR.fullmatch(metas.get("fediverse:creator", "").strip())) else "",
    )


def first_link(html: str) -> str | None:
    """The first link in a post to a page: no mention, no hashtag. Without its fragment."""
    for given in _links(html):
        is_named = _NOT_A_PAGE & set(given.get("class", "").split()) or "tag" in given.get("rel", "").split()
        url = urldefrag(given["href"]).url
        if not is_named and is_web(url):
            return url
    return None


def only_link(html: str) -> str | None:
    """The address in a field of a profile that is one link and nothing else."""
    links = [given["href"] for given in _links(html)]
    return links[0] if len(links) == 1 and is_web(links[0]) else None


def is_web(url: str) -> bool:
    """Whether this is an http or https address of a length that we keep, with a host and no name to sign in with."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and (len(url) <= MAX_URL)
        )
    except ValueError:
        return False


def _plain(url: str) -> str:
    """An address as it is compared with others: without fragment and closing slash."""
    return urldefrag(url).url.rstrip("/")


def names(head: PageHead, url: str) -> bool:
    """Whether the page calls itself this address (`rel=me`)."""
    return _plain(url) in head.me


def _links(html: str) -> Iterator[dict[str, str]]:
    return iter(_read(html).links) if "href" in html else iter(())


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html[:MOST_CHARACTERS])
    return reader


def _decoded(content: bytes, content_type: str) -> str:
    _, _, declared = content_type.lower().partition("charset=")
    found = _CHARSET.search(content[:2048])
    for name in filter(
        None, (declared.split(";")[0].strip(" \"'"), found[1].decode("ascii") if found else "", "utf-8")
    ):
        try:
            return content.decode(name, "replace")
        except LookupError:
            continue
    return ""


def _time(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text.strip())
        return max(to_ms(found if found.tzinfo else found.replace(tzinfo=UTC)), 0)
    except (ValueError, OverflowError):
        return None
