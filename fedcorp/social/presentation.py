"""How somebody wants the own profile shown: words for its pictures, which tabs it has, which sites may name its author.

Kept as JSON text in a column of `accounts`; "{}" is what nobody has changed. Knows no rows and decides nothing: the
tabs are drawn by clients.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from fedcorp.errors import Unprocessable
from fedcorp.social import text

MAX_DESCRIPTION = 1500  # as of pictures in posts
MAX_DOMAINS = 10
_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+\Z")
UNCHANGED = "{}"


@dataclass(frozen=True, slots=True)
class Presentation:
    """The descriptions are plain text; the types, media types of pictures here, "" for what was stored before they were
    kept; `attribution_domains` are hosts of websites."""

    avatar_description: str = ""
    header_description: str = ""
    avatar_type: str = ""
    header_type: str = ""
    show_media: bool = True
    show_media_replies: bool = True
    show_featured: bool = True
    attribution_domains: tuple[str, ...] = ()


_NOBODYS = Presentation()


def read(stored: str) -> Presentation:
    """What a column holds."""
    return _NOBODYS if stored == UNCHANGED else Presentation(**orjson.loads(stored))


def described(avatar: str, header: str, domains: "tuple[str, ...]" = ()) -> str:
    """The column for an actor of another server that says these words of its pictures, which are cut to our limit, and
    lets these sites name it; what is no domain is left out."""
    words = {"avatar_description": avatar, "header_description": header}
    values: dict[str, Any] = {name: text.one_line(value, MAX_DESCRIPTION) for name, value in words.items()}
    kept = [domain for domain in map(str.lower, domains) if is_domain(domain)]
    return _written(values | {"attribution_domains": kept})


def credits(stored: str, host: str) -> bool:
    """Whether who has this column lets pages of a host (lower-case, without port) say that they wrote them."""
    return any(host == domain or host.endswith(f".{domain}") for domain in read(stored).attribution_domains)


def is_domain(text: str) -> bool:
    """Whether this is the name of a host, of two parts or more, in lower case."""
    return len(text) <= 253 and _DOMAIN.match(text) is not None


def changed(stored: str, change: dict[str, Any]) -> str:
    """The column after a change of some fields. Raises Unprocessable on what is too long, too much or no domain."""
    for name in ("avatar_description", "header_description"):
        if len(change.get(name, "")) > MAX_DESCRIPTION:
            said = name.replace("_", " ").capitalize()
            raise Unprocessable(f"Validation failed: {said} is too long (maximum is {MAX_DESCRIPTION} characters)")
    if "attribution_domains" in change:
        change = change | {"attribution_domains": _domains(change["attribution_domains"])}
    return _written(asdict(read(stored)) | change)


def _domains(given: "list[str]") -> list[str]:
    domains = list(dict.fromkeys(item.strip().lower() for item in given if item.strip()))
    if len(domains) > MAX_DOMAINS:
        raise Unprocessable(f"Validation failed: at most {MAX_DOMAINS} domains can name an author")
    for domain in domains:
        if not is_domain(domain):
            raise Unprocessable("Validation failed: Attribution domains holds something that is no domain")
    return domains


def _written(values: dict[str, Any]) -> str:
    """Only what is not as at first, so that rows stay small."""
    first = asdict(_NOBODYS) | {"attribution_domains": []}
    kept = {name: value for name, value in values.items() if value not in (first[name], ())}
    return orjson.dumps(kept).decode()
