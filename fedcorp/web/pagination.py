"""Pages: from the parameters of a request, and as the Link header that leads to the pages beside (RFC 8288)."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from fedcorp.social.pages import Page
from fedcorp.web.call import Call
from fedcorp.web.params import Params
from fedcorp.web.route import Param

_BOUNDS = ("max_id", "since_id", "min_id")
_LEFT_OUT = {*_BOUNDS, "access_token", "offset", "page"}
PAGE = (
    Param("limit", "How many there are on a page: 40 when it is not said.", "integer", least=1, most=80),
    Param("max_id", "Only what comes after this in the list; the Link header names it.", "id"),
    Param("since_id", "Only what is newer than this, the newest first.", "id"),
    Param("min_id", "Only what is newer than this, the nearest first.", "id"),
)
"""What `page_of` reads, for lists that give 40 and at most 80."""


def page_of(params: Params, *, default: int = 20, most: int = 40) -> Page:
    """The page that is asked for; a limit outside 1 to `most` becomes the nearer of the two. Raises BadRequest."""
    limit = params.integer("limit", least=1, most=most)
    return Page(limit or default, *(params.id(name) for name in _BOUNDS))


def links(call: Call, ids: "Sequence[int]", *, full: bool = True) -> dict[str, str]:
    """The Link header around a page of these ids, newest first; `full` says that there may be older ones.

    Somebody who came up from below (`min_id`) may always turn round, also on a page that is not full.
    """
    if not ids:
        return {}
    there, came_up = _around(call.scope["path"], call.scope["query_string"])
    url = call.base + there
    previous = f'<{url}min_id={ids[0]}>; rel="prev"'
    if full or came_up:
        return {"Link": f'<{url}max_id={ids[-1]}>; rel="next", {previous}'}
    return {"Link": previous}


def offset_links(call: Call, limit: int, offset: int, *, more: bool) -> dict[str, str]:
    """The Link header around a part of a list that is cut by `offset`; `more` says that something comes after it."""
    there, _ = _around(call.scope["path"], call.scope["query_string"])
    beside = [("next", offset + limit)] if more else []
    beside += [("prev", max(offset - limit, 0))] if offset else []
    named = ", ".join(f'<{call.base}{there}offset={at}>; rel="{name}"' for name, at in beside)
    return {"Link": named} if named else {}


@lru_cache(maxsize=1024)
def _around(path: str, query: bytes) -> tuple[str, bool]:
    """What the links of a page have in common, and whether its reader came up from below. Clients ask for the first
    page again and again."""
    given = parse_qsl(query.decode("latin-1"))
    kept = urlencode([pair for pair in given if pair[0] not in _LEFT_OUT])
    url = quote(path, safe="/@:") + "?" + (kept + "&" if kept else "")
    return url, any(name == "min_id" for name, _ in given)
