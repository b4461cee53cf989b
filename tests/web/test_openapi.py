"""The description of our own API: a valid OpenAPI document that says of every route what the route does."""

import argparse
import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from fedcorp.web import params
from fedcorp.web.api import openapi
from fedcorp.web.route import Param, Route
from fedcorp.web.routes import API_ROUTES
from tests.web import described
from tests.web.club import Cast, hire_cast
from tests.web.instance import ORIGIN, Office, Person, picture
from tests.web.test_bad_input import id_of

pytestmark = [pytest.mark.anyio, pytest.mark.once]

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
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


# -- the walk of the document ----------------------------------------------------------------------------------------


async def test_the_walk_in_the_document_leads_where_it_says(office: Office, ann: Person, ben: Person) -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("### The API of groups\n")[1].split("\n### ")[0]
    (script,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    known = {"ANN": str(ann.token), "BEN": str(ben.token), "BEN_ID": ben.id}
    found: list[httpx.Response] = []
    for line in script.splitlines():
        words = shlex.split(Template(line).substitute(known), comments=True)
        if words[:1] == ["curl"]:
            found.append(await curl(office, words[1:]))
            assert found[-1].is_success, (line, found[-1].text)
            await office.settle()  # entries of the ledger are written soon after, not at once
            known |= {"GROUP": found[0].json()["id"]} if len(found) == 1 else {}
            known |= {"STATUS": found[-1].json()["id"]} if "/api/v1/statuses" in line else {}
        elif words:
            name, _, value = words[0].partition("=")
            known[name] = value
    assert [answer.status_code for answer in found][:2] == [200, 202]
    assert found[5].json()[0]["state"] == "distributed"
    assert found[8].json()["rules"] == ["Be kind"]
    assert len(found[9].json()["entries"]) == 5


async def curl(office: Office, words: list[str]) -> httpx.Response:
    """What curl would do with these options: -H, -X and -d."""
    parser = argparse.ArgumentParser()
    for option in ("-H", "-X", "-d"):
        parser.add_argument(option, action="append", default=[])
    parser.add_argument("url")
    given = parser.parse_args(words)
    method = given.X[0] if given.X else "POST" if given.d else "GET"
    headers = dict(line.split(": ", 1) for line in given.H)
    form = {"Content-Type": "application/x-www-form-urlencoded"} if given.d else {}
    return await office.anybody.ask(method, given.url, content="&".join(given.d).encode(), headers=headers | form)
