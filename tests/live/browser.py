"""What a person does in a browser while an app logs in: signs in, consents, reads the code."""

import re
from html import unescape

import httpx

from tests.live.harness import PASSWORD


def _form(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in fields}


def code_from(url: str, username: str) -> str:
    """The code that the page shows at the end (out of band), after `username` has allowed the app in."""
    address = url.split("/oauth/")[0] + "/oauth/authorize"
    with httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True, trust_env=False) as http:
        first = http.get(url)
        assert 'autocomplete="current-password"' in first.text, first.text
        consent = http.post(address, data={**_form(first.text), "username": username, "password": PASSWORD})
        shown = http.post(address, data={**_form(consent.text), "step": "allow"})
    found = re.search(r'id="code">([^<]+)<', shown.text)
    assert found is not None, shown.text
    return unescape(found[1])
