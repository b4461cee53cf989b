"""The description of our own API: a valid OpenAPI document that says of every route what the route does."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from fedcorp.web import params
from fedcorp.web.api import openapi
from fedcorp.web.route import Param, Route
from fedcorp.web.routes import API_ROUTES
from tests.web import described
from tests.web.club import Cast, hire_cast
from tests.web.instance import ORIGIN, Office, picture
from tests.web.test_bad_input import id_of

pytestmark = pytest.mark.anyio

OURS = [route for route in API_ROUTES if route.path.startswith(openapi.PREFIX)]


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = described.document()["paths"][route.path][route.method.lower()]
    return found


async def test_what_is_served_is_the_document_and_is_valid(office: Office) -> None:
    served = await office.anybody.get(openapi.PATH)
    assert served == json.loads(json.dumps(described.document()))
    assert served["servers"] == [{"url": ORIGIN}]
    assert list(OpenAPIV31SpecValidator(served).iter_errors()) == []


def test_a_document_that_is_wrong_is_not_valid() -> None:
    broken = json.loads(json.dumps(described.document()))
    del broken["paths"][openapi.PATH]["get"]["responses"]
    broken["paths"][openapi.PATH]["get"]["responses"] = {"two hundred": {}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors()) != []


def test_it_describes_every_route_and_no_other() -> None:
    paths = described.document()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == {
        (route.method, route.path) for route in OURS
    }
    names = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", OURS, ids=id_of)
def test_each_route_says_what_it_does_and_who_may(route: Route) -> None:
    assert (route.handler.__doc__ or "").startswith(f"{route.method} {route.path}: ")
    found = operation(route)
    assert len(found["summary"]) > 10
    assert found["security"] == ([{"token": [route.scope]}] if route.scope else [])
    assert {"200", "default"} <= set(found["responses"])
    assert route.scope is None or {"400", "401", "403", "422"} <= set(found["responses"])
    for param in route.takes:
        assert param.words.endswith("."), param


def test_scopes_are_those_that_tokens_have() -> None:
    flow = described.document()["components"]["securitySchemes"]["token"]["flows"]["authorizationCode"]
    assert set(flow["scopes"]) == {route.scope for route in OURS if route.scope}


def test_every_schema_is_used() -> None:
    text = json.dumps(described.document())
    for name in described.document()["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name


# -- what is declared is what is read --------------------------------------------------------------------------------


class Watched(dict[str, Any]):
    """Parameters that note what was asked of them."""

    asked: set[str]

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


_SAMPLES = {"boolean": "true", "integer": "60", "id": "1", "time": "2099-01-01T00:00:00Z", "texts": ["x"], "ids": ["1"]}


def sample(param: Param) -> Any:
    return param.choices[0] if param.choices else _SAMPLES.get(param.kind, "x")


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await hire_cast(office)


@pytest.mark.parametrize("route", [route for route in OURS if route.scope], ids=id_of)
async def test_a_handler_reads_what_is_declared_and_nothing_else(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, route: Route
) -> None:
    club = await cast.club("chess")
    post = await club.publish(club.who("member"))
    values = {"id": club.id, "account": club.who("other").id, "status": post["id"], "report": "1"}
    if route.path.startswith("/api/fedcorp/v1/statuses/"):
        values["id"] = post["id"]
    asked: set[str] = set()
    plain = params.Params.__init__

    def watching(self: params.Params, tree: dict[str, Any]) -> None:
        watched = Watched(tree)
        watched.asked = asked
        plain(self, watched)

    monkeypatch.setattr(params.Params, "__init__", watching)
    path = route.path.format_map(values)
    whole = {param.name: sample(param) for param in route.takes if param.kind != "file"}
    alone = [{name: value} for name, value in whole.items()]
    without_id = {name: value for name, value in whole.items() if name not in ("account_id", "expires_in")}
    for sent in (whole, without_id, *alone):
        if route.method == "GET":
            await cast.people["admin"].ask("GET", path, params=sent)
        else:
            await cast.people["admin"].ask(route.method, path, json=sent)
    assert asked - {"access_token"} == {param.name for param in route.takes}


async def test_pictures_come_as_multipart(cast: Cast) -> None:
    club = await cast.club("chess")
    for route in OURS:
        body = operation(route).get("requestBody", {"content": {}})["content"]
        files = {param.name for param in route.takes if param.kind == "file"}
        assert ("multipart/form-data" in body) == bool(files) == route.uploads
    answer = await cast.people["admin"].ask("PATCH", club.path, files={"header": ("x.png", picture(), "image/png")})
    assert answer.status_code == 200
