"""The tree of routes: text before variables, stand-ins of methods, and words for what is not there."""

from typing import Any

import pytest
from starlette.datastructures import State

from fedcorp.errors import MethodNotAllowed, NotFound
from fedcorp.web.router import Route, Router

pytestmark = pytest.mark.once


async def nothing(_: Any) -> Any:
    raise AssertionError("not called here")


def router(*table: str) -> Router:
    return Router([Route(method, path, nothing) for method, path in map(str.split, table)], State())


TABLE = router(
    "GET /",
    "GET /api/v1/accounts/{id}",
    "GET /api/v1/accounts/lookup",
    "POST /api/v1/accounts/{id}/follow",
    "PATCH /api/v1/profile",
    "GET /@{name}",
    "GET /@{name}/{id}",
    "GET /{anything}",
    "GET /media/{key}",
)


@pytest.mark.parametrize(
    ("method", "path", "template", "values"),
    [
        ("GET", "/", "/", {}),
        ("GET", "/api/v1/accounts/7", "/api/v1/accounts/{id}", {"id": "7"}),
        ("GET", "/api/v1/accounts/lookup", "/api/v1/accounts/lookup", {}),
        ("HEAD", "/api/v1/accounts/lookup/", "/api/v1/accounts/lookup", {}),
        ("POST", "/api/v1/accounts/lookup/follow", "/api/v1/accounts/{id}/follow", {"id": "lookup"}),
        ("PUT", "/api/v1/profile", "/api/v1/profile", {}),
        ("GET", "/@ann", "/@{name}", {"name": "ann"}),
        ("GET", "/@ann/12", "/@{name}/{id}", {"name": "ann", "id": "12"}),
        ("GET", "/@", "/{anything}", {"anything": "@"}),
        ("GET", "/a%2Fb", "/{anything}", {"anything": "a/b"}),
    ],
)
def test_matching(method: str, path: str, template: str, values: dict[str, str]) -> None:
    route, found = TABLE.match(method, path)
    assert (route.path, found) == (template, values)


@pytest.mark.parametrize("path", ["/api", "/api/v1/accounts", "/api/v1/accounts/7/follow/x", "/media/", "/a/b"])
def test_unknown_paths(path: str) -> None:
    if path.count("/") == 1 or path == "/media/":
        assert TABLE.match("GET", path)[0].path == "/{anything}"
    else:
        with pytest.raises(NotFound):
            TABLE.match("GET", path)


def test_wrong_method_names_the_right_ones() -> None:
    with pytest.raises(MethodNotAllowed, match="POST"):
        TABLE.match("GET", "/api/v1/accounts/7/follow")


def test_a_route_stands_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        router("GET /a/{b}", "GET /a/{b}/")
