"""Parameters arrive in four shapes and nested names; getters are strict and name what is wrong."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from fedcorp.errors import BadRequest, TooLarge, UnsupportedMedia
from fedcorp.web.params import Params, Upload, read_body, read_query

pytestmark = pytest.mark.once

FORM = "application/x-www-form-urlencoded"


def request(body: bytes, kind: str, *, query: bytes = b"", chunk: int = 7, length: bool = False) -> Request:
    chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]

    async def receive() -> Message:
        part = chunks.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(chunks)}

    headers = [(b"content-type", kind.encode())]
    if length:
        headers.append((b"content-length", str(len(body)).encode()))
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": query, "headers": headers}, receive)


async def read(body: bytes, kind: str, **options: Any) -> Params:
    return await read_body(request(body, kind, **options), 1000)


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="poll[options][]"\r\n\r\na\r\n'
    b'--x\r\nContent-Disposition: form-data; name="poll[options][]"\r\n\r\nb\r\n'
    b'--x\r\nContent-Disposition: form-data; name="poll[expires_in]"\r\n\r\n300\r\n--x--\r\n'
)


FILE_HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n'


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"poll[options][]=a&poll[options][]=b&poll[expires_in]=300", FORM),
        (b"poll%5Boptions%5D%5B0%5D=a&poll[options][1]=b&poll[expires_in]=300", FORM),
        (b'{"poll": {"options": ["a", "b"], "expires_in": 300}}', "application/json; charset=utf-8"),
        (MULTIPART, "multipart/form-data; boundary=x"),
    ],
)
async def test_all_shapes_mean_the_same(body: bytes, kind: str) -> None:
    poll = (await read(body, kind)).group("poll")
    assert poll is not None
    assert (poll.texts("options"), poll.integer("expires_in")) == (["a", "b"], 300)


@pytest.mark.parametrize(
    "query",
    [
        b"fields[0][name]=a&fields[0][value]=1&fields[1][name]=b",
        b"fields[][name]=a&fields[][value]=1&fields[][name]=b",
    ],
)
def test_lists_of_groups(query: bytes) -> None:
    assert [item.text("name") for item in read_query(query).records("fields")] == ["a", "b"]


def test_indexed_groups_come_in_the_order_of_numbers() -> None:
    query = b"&".join(b"f[%d][name]=%d" % (number, number) for number in (10, 9, 2))
    assert [item.text("name") for item in read_query(query).records("f")] == ["2", "9", "10"]


@pytest.mark.anyio
async def test_the_body_wins_over_the_query() -> None:
    params = await read(b"a=body", FORM, query=b"a=query&b=query")
    assert (params.text("a"), params.text("b")) == ("body", "query")


@pytest.mark.anyio
async def test_a_file_arrives_whole() -> None:
    params = await read(FILE_HEAD + b"\x89PNG\r\n\x1a" + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")
    assert params.upload("file") == Upload("cat.png", "image/png", b"\x89PNG\r\n\x1a")
    with pytest.raises(BadRequest):
        params.text("file")


@pytest.mark.anyio
@pytest.mark.parametrize("length", [False, True])
@pytest.mark.parametrize("kind", [FORM, "application/json", "multipart/form-data; boundary=x"])
async def test_a_body_is_cut_off(kind: str, length: bool) -> None:
    with pytest.raises(TooLarge):
        await read(FILE_HEAD + b"a" * 1001, kind, length=length)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"{", "application/json", BadRequest),
        (b"[1]", "application/json", BadRequest),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", BadRequest),
        (b"a=1", "text/plain", UnsupportedMedia),
        (b"a[b]=1&a=2&a[c]=3", FORM, BadRequest),
        (b"a[]=1&a[b]=1", FORM, BadRequest),
        (b"a[b][c][d][e][f][g]=1", FORM, BadRequest),
        (b"no boundary at all", "multipart/form-data", BadRequest),
        (b"nonsense", "multipart/form-data; boundary=x", BadRequest),
    ],
)
async def test_broken_bodies_are_refused(body: bytes, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await read(body, kind)


@pytest.mark.parametrize(("word", "value"), [("true", True), ("1", True), ("on", True), ("0", False), ("f", False)])
def test_booleans(word: str, value: bool) -> None:
    assert Params({"x": word}).boolean("x") is value
    assert Params({"x": value}).boolean("x") is value


@pytest.mark.parametrize(
    "getter",
    [
        lambda params: params.boolean("x"),
        lambda params: params.integer("x"),
        lambda params: params.id("x"),
        lambda params: params.ids("x"),
        lambda params: params.number("x"),
        lambda params: params.choice("x", ("a", "b")),
        lambda params: params.group("x"),
        lambda params: params.records("x"),
        lambda params: params.upload("x"),
    ],
)
def test_wrong_kinds_name_the_parameter(getter: Callable[[Params], Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        getter(Params({"x": "nonsense"}))
    assert "parameter x " in caught.value.text
    assert not getter(Params({}))


def test_numbers_stay_in_their_range() -> None:
    assert Params({"limit": "1000"}).integer("limit", least=1, most=40) == 40
    assert Params({"limit": -3}).integer("limit", least=1, most=40) == 1
    assert Params({"id": str(2**63)}).text("id") == str(2**63)
    with pytest.raises(BadRequest):
        Params({"id": str(2**63)}).id("id")


JSON = st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "0", "x", "name"]), inner, max_size=3)
), max_leaves=8)  # fmt: skip


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    params = Params(orjson.loads(orjson.dumps({"x": value})))
    for getter in (
        params.text, params.required, params.integer, params.number, params.boolean, params.id, params.ids,
        params.texts, params.records, params.group, params.upload,
    ):  # fmt: skip
        try:
            getter("x")
        except BadRequest:
            continue


@given(st.binary(max_size=60))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    try:
        read_query(query)
    except BadRequest:
        return
