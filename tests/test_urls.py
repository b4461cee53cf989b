"""Every URI that is minted is recognised again, and nothing of another origin is."""

import pytest

from fedcorp.urls import Urls, split_handle

pytestmark = pytest.mark.once

URLS = Urls("http://finance.localhost:8001")


def test_what_is_minted_is_recognised() -> None:
    assert URLS.find_object_id(URLS.object(42)) == 42
    assert URLS.find_activity_id(URLS.activity(42) + "#x") == 42
    assert URLS.find_actor_id(URLS.actor("person", 42) + "/followers") == 42
    assert URLS.find_actor_id(URLS.actor("group", 7)) == 7
    assert URLS.find_page(URLS.status_page("ann", 9)) == ("ann", 9)
    assert URLS.find_page(URLS.profile("ann")) == ("ann", None)
    assert URLS.domain == "finance.localhost:8001"


@pytest.mark.parametrize(
    "uri",
    [
        "http://finance.localhost:80011/o/42",
        "http://finance.localhost:8001.evil.example/o/42",
        "https://finance.localhost:8001/o/42",
        "http://finance.localhost:8001/o/42/replies/..",
        "http://finance.localhost:8001/o/",
        "http://finance.localhost:8001/o/99999999999999999999",
        "",
    ],
)
def test_what_is_not_ours_is_not(uri: str) -> None:
    assert URLS.find_object_id(uri) is None


@pytest.mark.parametrize(
    ("handle", "parts"),
    [
        ("@ann@Finance.localhost:8001", ("ann", "finance.localhost:8001")),
        ("acct:ann@corp.example", ("ann", "corp.example")),
        ("ann", ("ann", None)),
        ("@ann", ("ann", None)),
    ],
)
def test_handles(handle: str, parts: tuple[str, str | None]) -> None:
    assert split_handle(handle) == parts
