"""Parameters of a request, from query, form, multipart or JSON, read through one set of typed getters.

Names nest as Rails writes them: `id[]`, `poll[options][]`, `fields_attributes[0][name]`. A value of the wrong kind is a
BadRequest whose sentence names the parameter; what a value means is for the caller to judge.
"""

import re
from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from fedcorp.clock import to_ms
from fedcorp.errors import BadRequest, TooLarge, UnsupportedMedia

MAX_PAIRS, MAX_DEPTH, MAX_JSON_DEPTH = 1000, 6, 32
MAX_ID = 2**63 - 1
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_TRUE, _FALSE = ("1", "true", "t", "on", "yes"), ("0", "false", "f", "off", "no", "")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form. Its name and type are what the sender says, no more."""

    name: str
    mime: str
    content: bytes


class Params:
    """A tree of parameters. Getters return None (or an empty list) for what is absent."""

    __slots__ = ("_tree",)

    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree

    def __contains__(self, name: str) -> bool:
        return name in self._tree

    def __bool__(self) -> bool:
        return bool(self._tree)

    def text(self, name: str) -> str | None:
        """A text; numbers and booleans of JSON are written out. Raises BadRequest for anything deeper."""
        value = self._tree.get(name)
        if isinstance(value, str) and "\x00" in value:  # PostgreSQL has no place for it
            raise BadRequest(f"The parameter {name} holds a character that no text can have.")
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        raise BadRequest(f"The parameter {name} must be text.")

    def required(self, name: str) -> str:
        """A text that must be there and not be blank. Raises BadRequest."""
        value = self.text(name)
        if value is None or not value.strip():
            raise BadRequest(f"The parameter {name} is missing.")
        return value

    def integer(self, name: str, *, least: int = 0, most: int = MAX_ID) -> int | None:
        """A whole number; outside `least` to `most` it becomes the nearer of the two. Raises BadRequest."""
        value = (self.text(name) or "").strip()
        if not value:
            return None
        if len(value) > 20 or not re.fullmatch(r"[+-]?[0-9]+(\.0+)?", value):
            raise BadRequest(f"The parameter {name} must be a whole number.")
        return min(max(int(value.split(".")[0]), least), most)

    def number(self, name: str) -> float | None:
        """A finite number. Raises BadRequest."""
        value = (self.text(name) or "").strip()
        if not value:
            return None
        if len(value) > 40 or not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]{1,2})?", value):
            raise BadRequest(f"The parameter {name} must be a number.")
        return float(value)

    def time(self, name: str) -> int | None:
        """A time as ISO 8601, in ms; one without zone is UTC, a blank one counts as absent. Raises BadRequest."""
        value = (self.text(name) or "").strip()
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
            return max(to_ms(found if found.tzinfo else found.replace(tzinfo=UTC)), 1)
        except (ValueError, OverflowError):
            raise BadRequest(f"The parameter {name} must be a time like 2026-12-31T17:00:00Z.") from None

    def boolean(self, name: str) -> bool | None:
        """true, 1, on ... or false, 0, off ... Raises BadRequest for other words."""
        value = self.text(name)
        if value is None:
            return None
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise BadRequest(f"The parameter {name} must be true or false.")

    def flag(self, name: str) -> bool:
        """Like `boolean`, with False for what is absent."""
        return self.boolean(name) or False

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """One of `choices`; blank counts as absent. Raises BadRequest."""
        value = self.text(name) or None
        if value is not None and value not in choices:
            raise BadRequest(f"The parameter {name} must be one of {', '.join(choices)}.")
        return value

    def id(self, name: str) -> int | None:
        """An id. Raises BadRequest for anything that cannot be one."""
        value = (self.text(name) or "").strip()
        return self._id(name, value) if value else None

    def ids(self, name: str) -> list[int]:
        """A list of ids, each once, in order. Raises BadRequest."""
        return list(dict.fromkeys(self._id(name, value) for value in self.texts(name) if value))

    @staticmethod
    def _id(name: str, value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) <= 19 and int(value) <= MAX_ID):
            raise BadRequest(f"The parameter {name} must be an id.")
        return int(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts; one alone counts as a list. Raises BadRequest."""
        value = self._tree.get(name)
        if isinstance(value, dict):
            value = _in_order(value)
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        return [text for item in items if (text := Params({name: item}).text(name)) is not None]

    def records(self, name: str) -> "list[Params]":
        """A list of groups of parameters, also when the list was written as `name[0][...]`. Raises BadRequest."""
        value = self._tree.get(name)
        if value is None or value == "":
            return []
        items = _in_order(value) if isinstance(value, dict) else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadRequest(f"The parameter {name} must be a list of groups.")
        return [Params(item) for item in items]

    def group(self, name: str) -> "Params | None":
        """A group of parameters under one name. Raises BadRequest."""
        value = self._tree.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise BadRequest(f"The parameter {name} must be a group like {name}[...].")
        return Params(value)

    def upload(self, name: str) -> Upload | None:
        """A file of a multipart form. Raises BadRequest when text stands in its place."""
        value = self._tree.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, Upload):
            raise BadRequest(f"The parameter {name} must be a file.")
        return value


def _in_order(indexed: dict[str, Any]) -> list[Any]:
    keys = sorted(indexed, key=lambda key: (int(key) if key.isascii() and key.isdigit() else MAX_PAIRS, key))
    return [indexed[key] for key in keys]


# -- reading ---------------------------------------------------------------------------------------------------------


def read_query(query: bytes) -> Params:
    """The parameters of a query string. Raises BadRequest."""
    return Params(_tree(_pairs(query)))


async def read_body(request: Request, limit: int) -> Params:
    """Query and body together; where both name something the body wins.

    Raises TooLarge past `limit` bytes, UnsupportedMedia for other types than the three, BadRequest for what is broken.
    """
    tree = _tree(_pairs(request.scope["query_string"]))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return Params(tree | await _read_multipart(request, limit))
    body = b"".join([chunk async for chunk in capped(request, limit)])
    if not body:
        return Params(tree)
    if kind.endswith("json"):
        return Params(tree | _read_json(body))
    if kind in ("application/x-www-form-urlencoded", ""):
        return Params(tree | _tree(_pairs(body)))
    raise UnsupportedMedia("Send JSON, a form or multipart/form-data.")


async def capped(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives. Raises TooLarge before more than `limit` bytes are held."""
    text = f"The request is larger than {limit} bytes."
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise TooLarge(text)
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise TooLarge(text)
        yield chunk


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The JSON of the request cannot be read.", str(error)) from None
    if not isinstance(tree, dict) or _depth(tree) > MAX_JSON_DEPTH:
        raise BadRequest("The JSON of the request must be an object, and not too deep.")
    return tree


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= MAX_JSON_DEPTH:
        deepest += 1
        inner: list[Any] = []
        for item in level:
            inner += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        level = inner
    return deepest


async def _read_multipart(request: Request, limit: int) -> dict[str, Any]:
    parser = MultiPartParser(
        Headers(scope=request.scope), capped(request, limit), max_files=20, max_fields=MAX_PAIRS, max_part_size=limit
    )
    parser.spool_max_size = limit + 1  # never on disk: what is larger is refused anyway
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError, KeyError) as error:
        raise BadRequest("The form cannot be read.", str(error)) from None
    try:
        return _tree([(name, await _part(value)) for name, value in form.multi_items() if not _is_unchosen(value)])
    finally:
        await form.close()


def _is_unchosen(value: "str | UploadFile") -> bool:
    """Whether this is what a browser sends for a field of a form in which no file was chosen: no name and no bytes."""
    return not isinstance(value, str) and not value.filename and not value.size


async def _part(value: "str | UploadFile") -> "str | Upload":
    if isinstance(value, str):
        return value
    return Upload(value.filename or "", value.content_type or "", await value.read())


def _pairs(encoded: bytes) -> list[tuple[str, Any]]:
    if not encoded:
        return []
    try:
        return list(parse_qsl(encoded.decode(), keep_blank_values=True, max_num_fields=MAX_PAIRS))
    except ValueError as error:  # more pairs than that, or not UTF-8
        raise BadRequest("The parameters cannot be read.", str(error)) from None


def _tree(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Nest the pairs by the brackets in their names."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        path = [head, *_BRACKETS.findall(bracket + rest)]
        if len(path) > MAX_DEPTH:
            raise BadRequest("The name of a parameter is too deep.")
        _put(root, path, value, name)
    return root


def _put(tree: dict[str, Any], path: list[str], value: Any, name: str) -> None:
    key, rest = path[0], path[1:]
    if not rest:
        tree[key] = value
    elif rest == [""]:
        _inner(tree, key, list, name).append(value)
    elif rest[0] == "":
        items: list[Any] = _inner(tree, key, list, name)
        # `a[][x]=1&a[][x]=2` begins a new group where a name comes again.
        if not items or not isinstance(items[-1], dict) or rest[1] in items[-1]:
            items.append({})
        _put(items[-1], rest[1:], value, name)
    else:
        _put(_inner(tree, key, dict, name), rest, value, name)


def _inner(tree: dict[str, Any], key: str, kind: type, name: str) -> Any:
    inner = tree.setdefault(key, kind())
    if not isinstance(inner, kind):
        raise BadRequest(f"The parameter {name} is written in two ways that exclude each other.")
    return inner
