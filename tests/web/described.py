"""Holds answers of our own API against the description that the instance gives of itself (OpenAPI, JSON Schema)."""

from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from fedcorp.web.api import openapi
from fedcorp.web.routes import ROUTES

ORIGIN = "http://finance.localhost"


@cache
def document() -> dict[str, Any]:
    """What is served, as the instance under test serves it."""
    return openapi.document(ROUTES, ORIGIN)


@cache
def validator(name: str, status: str) -> Draft202012Validator:
    """What the description says of the answer of a route ("GET /api/...") with this status."""
    method, path = name.split(" ")
    answers = document()["paths"][path][method.lower()]["responses"]
    answer = answers[status] if status < "400" else answers.get(status, answers["default"])
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    # The references of the schema lead into the document, so it stands beside them.
    return Draft202012Validator(schema | {"components": document()["components"]}, format_checker=FormatChecker())


def check(name: str, response: httpx.Response) -> None:
    """The body fits the schema of its status; good answers have none but those that are described."""
    if openapi.PREFIX in name:
        validator(name, str(response.status_code)).validate(response.json())
