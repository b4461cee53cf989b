"""Translations by a service of the company: what is sent there, what is not, and what is made of its answers."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.federation.world import Company, Department, Person
from tests.web import required_fields

pytestmark = pytest.mark.anyio

URL = "http://translate.localhost"
LANGUAGES = [
    {"code": "en", "name": "English", "targets": ["de", "en", "nl"]},
    {"code": "nl", "name": "Dutch", "targets": ["en"]},
]


class Service:
    """Speaks LibreTranslate's API: turns words round. Remembers what it was sent."""

    def __init__(self, company: Company) -> None:
        self.sent: list[Any] = []
        self.answer: Response | None = None
        self.asked = 0
        routes = [Route("/languages", self._languages), Route("/translate", self._translate, methods=["POST"])]
        company.network.servers["translate.localhost"] = Starlette(routes=routes)
        self.network = company.network

    async def _languages(self, _: Request) -> Response:
        self.asked += 1
        return self.answer or JSONResponse(LANGUAGES)

    async def _translate(self, request: Request) -> Response:
        wanted = await request.json()
        self.sent.append(wanted)
        told: dict[str, Any] = {"translatedText": [f"{text}<script>x</script>" for text in wanted["q"]]}
        if wanted["source"] == "auto":
            told["detectedLanguage"] = [{"confidence": 90.0, "language": "nl"} for _ in wanted["q"]]
        return self.answer or JSONResponse(told)


async def office(company: Company, **translation: str) -> tuple[Department, Person]:
    """A department with a translation service, and ann in it."""
    made = await company.department("finance", translation={"url": URL, **translation})
    return made, await made.person("ann")


async def translated(person: Person, status: Any, **values: Any) -> Any:
    """The good answer."""
    found = await person.post(f"/api/v1/statuses/{status['id']}/translate", **values)
    required_fields.check("POST /api/v1/statuses/{id}/translate", found)
    return found


async def test_everything_in_a_post_that_has_words_is_translated(company: Company) -> None:
    service = Service(company)
    _, ann = await office(company, api_key="secret")
    status = await ann.publish(
        "Hello <you>", spoiler_text="a & b", language="en", poll={"options": ["yes", "no"], "expires_in": 600}
    )
    found = await translated(ann, status, lang="de")
    (sent,) = service.sent
    assert sent == {
        "q": [status["content"], "a &amp; b", "yes", "no"], "source": "en", "target": "de", "format": "html",
        "api_key": "secret",
    }  # fmt: skip
    assert found["content"] == status["content"], "cleaned of what nobody wrote"
    assert found["spoiler_text"].startswith("a & b")
    assert [option["title"][:3] for option in found["poll"]["options"]] == ["yes", "no<"]
    assert (found["language"], found["detected_source_language"]) == ("de", "en")
    await translated(ann, status, lang="de-AT")
    assert len(service.sent) == 1, "kept"
    assert (await ann.get("/api/v2/instance"))["configuration"]["translation"] == {"enabled": True}
    assert (await ann.get("/api/v1/instance/translation_languages"))["und"] == ["de", "en", "nl"]
    assert service.asked == 1
    request = next(item for item in company.network.requests if item.url.path == "/translate")
    assert request.extensions["inside"], "to the configured networks or nowhere"


async def test_an_unknown_language_is_found_out(company: Company) -> None:
    service = Service(company)
    _, ann = await office(company)
    status = await ann.publish("Hallo", language="fy")
    found = await translated(ann, status, lang="en")
    assert (service.sent[0]["source"], found["detected_source_language"]) == ("auto", "nl")


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_for_everybody_is_not_sent(company: Company, visibility: str) -> None:
    service = Service(company)
    finance, ann = await office(company)
    ben = await finance.person("ben")
    status = await ann.publish("@ben secret", visibility=visibility, language="en")
    for person, number in ((ann, 403), (ben, 403), (await finance.person("cat"), 404)):
        answer = await person.send("POST", f"/api/v1/statuses/{status['id']}/translate", lang="de")
        assert answer.status_code == number
    assert service.sent == []


@pytest.mark.parametrize(("language", "wanted"), [("nl", "de"), ("en", "en"), ("en", "xx"), ("en", "")])
async def test_pairs_that_the_service_does_not_have(company: Company, language: str, wanted: str) -> None:
    service = Service(company)
    _, ann = await office(company)
    status = await ann.publish("x", language=language)
    answer = await ann.send("POST", f"/api/v1/statuses/{status['id']}/translate", lang=wanted)
    assert answer.status_code == 403
    assert service.sent == []


@pytest.mark.parametrize(
    "answer",
    [JSONResponse({"error": "no"}, 500), JSONResponse({"translatedText": ["x"]}), Response(b"{"), JSONResponse([1])],
)
async def test_a_service_that_fails_is_said_so(company: Company, answer: Response) -> None:
    service = Service(company)
    _, ann = await office(company)
    status = await ann.publish("x", spoiler_text="y", language="en")
    await ann.get("/api/v1/instance/translation_languages")
    service.answer = answer
    path = f"/api/v1/statuses/{status['id']}/translate"
    assert (await ann.send("POST", path, lang="de")).status_code == 503


async def test_a_service_that_is_away_is_not_asked_at_once_again(company: Company) -> None:
    service = Service(company)
    _, ann = await office(company)
    company.network.cut.add("translate.localhost")
    before = len(company.network.requests)
    for _ in range(3):
        answer = await ann.http.get("/api/v1/instance/translation_languages")
        assert answer.status_code == 503
    assert len(company.network.requests) == before + 1
    company.network.cut.clear()
    company.clock.shift_ms += 31_000
    assert await ann.get("/api/v1/instance/translation_languages")
    assert service.asked == 1


async def test_without_a_service_nothing_is_translated(company: Company) -> None:
    finance = await company.department("finance")
    ann = await finance.person("ann")
    status = await ann.publish("x", language="en")
    answer: httpx.Response = await ann.send("POST", f"/api/v1/statuses/{status['id']}/translate", lang="de")
    assert answer.status_code == 404
    assert await ann.get("/api/v1/instance/translation_languages") == {}
