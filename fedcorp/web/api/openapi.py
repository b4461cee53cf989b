"""The description of our own API as an OpenAPI 3.1 document, made from the table of routes and what stands beside the
handlers. It describes /api/fedcorp/ only; the rest is Mastodon's.

Sources: OpenAPI Specification 3.1.1; JSON Schema 2020-12.
"""

import inspect
import re
from functools import cache
from typing import Any

import orjson
from starlette.responses import Response

from fedcorp import __version__
from fedcorp.web.call import Call
from fedcorp.web.entities.schemas import ID, SCHEMAS, each, named
from fedcorp.web.pagination import PAGE
from fedcorp.web.problems import ACCEPTED, BAD_REQUEST, FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED, UNPROCESSABLE
from fedcorp.web.route import Param, Route

PREFIX = "/api/fedcorp/"
PATH = "/api/fedcorp/v1/openapi.json"
_VARIABLE = re.compile(r"\{(\w+)\}")
_VARIABLES = {
    "id": "The id of the group's account here.",
    "account": "The id of somebody's account here.",
    "status": "The id of a post here.",
    "report": "The id of a report.",
}
_OTHER_IDS = {
    "/api/fedcorp/v1/statuses/{id}/groups": "The id of a post here.",
    "/api/fedcorp/v1/warnings/{id}/appeal": "The id of a warning.",
}
_SCOPES = {
    "read:groups": "Read what one can read of groups; `read` includes it.",
    "write:groups": "Do what one can do in groups; `write` includes it.",
    "read:notifications": "Read what one is told; `read` includes it.",
    "write:reports": "Tell the moderators of the department something; `write` includes it.",
    "admin:read": "Read what moderators and admins of the department may read, as one of them.",
}
_REFUSALS = {
    BAD_REQUEST: "A parameter is missing or is not what it should be.",
    UNAUTHORIZED: "The token is missing, wrong or revoked.",
    FORBIDDEN: "The token or the person may not do this.",
    NOT_FOUND: "There is no such thing, or none that the viewer may know of.",
    UNPROCESSABLE: "Understood, but it breaks the rule that the sentence names.",
}


async def show(call: Call) -> Response:
    """GET /api/fedcorp/v1/openapi.json: this description."""
    return Response(_encoded(call.app.routes, call.context.config.origin), OK, None, "application/json")


@cache
def _encoded(routes: tuple[Route, ...], origin: str) -> bytes:
    return orjson.dumps(document(routes, origin))


def document(routes: tuple[Route, ...], origin: str) -> dict[str, Any]:
    """The OpenAPI document of those of `routes` that are ours, at the server `origin`."""
    paths: dict[str, dict[str, Any]] = {}
    ours = [route for route in routes if route.path.startswith(PREFIX)]
    for route in ours:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    scopes = {scope: _SCOPES[scope] for scope in sorted({route.scope for route in ours if route.scope})}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "fedcorp",
            "version": __version__,
            "summary": "Groups that cross departments; warnings and their answers; the audit.",
            "description": "Parameters of POST, PUT and PATCH come as JSON, as a form, as multipart or in the query. "
            "What another department decides is answered with 202 and shown under `pending` of the group.",
        },
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": {
                str(status): {"description": words, "content": _json(named("Error"))}
                for status, words in _REFUSALS.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "oauth2",
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": f"{origin}/oauth/authorize",
                            "tokenUrl": f"{origin}/oauth/token",
                            "scopes": scopes,
                        }
                    },
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    summary, description = _words(route)
    found: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *re.findall(r"\w+", route.path.removeprefix(PREFIX))]),
        "summary": summary,
        "security": [{"token": [route.scope]}] if route.scope else [],
        "parameters": [*(_in_path(name, route) for name in _VARIABLE.findall(route.path))],
        "responses": _responses(route),
    }
    if description:
        found["description"] = description
    if route.method in ("GET", "DELETE"):
        found["parameters"] += [_in_query(param) for param in route.takes]
    elif route.takes:
        found["requestBody"] = _body(route)
    return found


def _words(route: Route) -> tuple[str, str]:
    """The first line of the handler's docstring without the route before it, and the rest."""
    first, _, rest = inspect.cleandoc(route.handler.__doc__ or "").partition("\n")
    said = first.removeprefix(f"{route.method} {route.path}").removeprefix(": ")
    return said[:1].upper() + said[1:], " ".join(rest.split())


def _in_path(name: str, route: Route) -> dict[str, Any]:
    words = _OTHER_IDS.get(route.path, _VARIABLES[name])
    return {"name": name, "in": "path", "required": True, "description": words, "schema": ID}


def _in_query(param: Param) -> dict[str, Any]:
    schema = _schema(param)
    description = schema.pop("description")
    is_list = param.kind in ("texts", "ids")
    return {
        "name": f"{param.name}[]" if is_list else param.name, "in": "query", "required": param.needed,
        "description": description, "schema": schema,
    }  # fmt: skip


def _body(route: Route) -> dict[str, Any]:
    plain = {param.name: _schema(param) for param in route.takes if param.kind != "file"}
    files = {param.name: _schema(param) for param in route.takes if param.kind == "file"}
    needed = [param.name for param in route.takes if param.needed]
    required = {"required": needed} if needed else {}
    content = {"application/json": {"schema": {"type": "object", "properties": plain, **required}}}
    if files:
        content["multipart/form-data"] = {"schema": {"type": "object", "properties": plain | files, **required}}
    return {"required": bool(needed), "content": content}


_KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "id": ID,
    "time": {"type": "string", "format": "date-time"},
    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
    "texts": each({"type": "string"}),
    "ids": each(ID),
}


def _schema(param: Param) -> dict[str, Any]:
    schema = {"description": param.words, **_KINDS[param.kind]}
    if param.choices:
        schema["enum"] = list(param.choices)
    if param.most is not None:
        schema["maximum" if param.kind == "integer" else "maxLength"] = param.most
    if param.least is not None:
        schema["minimum"] = param.least
    return schema


def _responses(route: Route) -> dict[str, Any]:
    name = route.gives.strip("[]")
    schema = each(named(name)) if route.gives.startswith("[") else named(name)
    good: dict[str, Any] = {"description": SCHEMAS[name]["description"], "content": _json(schema)}
    if set(PAGE) <= set(route.takes):
        good["headers"] = {"Link": {"description": "The pages beside this one.", "schema": {"type": "string"}}}
    found = {str(OK): good}
    if route.waits:
        words = "Not decided yet: a moderator or the group's own department decides."
        found[str(ACCEPTED)] = {"description": words, "content": _json(named(route.waits))}
    for status in _REFUSALS:
        if route.scope and (status != NOT_FOUND or "{" in route.path):
            found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return found | {"default": {"description": "A refusal.", "content": _json(named("Error"))}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
