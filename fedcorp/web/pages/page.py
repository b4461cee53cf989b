"""Turns a template of this folder into an answer that browsers treat with care. Knows no account and no status."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from fedcorp.config import Config
from fedcorp.web.problems import OK

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "style.css").read_bytes()

# No `form-action`: Chromium would apply it to the redirect that follows consent, whose target may have any scheme.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(config: Config, name: str, status: int = OK, *, document: str | None = None, **values: Any) -> Response:
    """The page of template `name`.html. `document` is the id under which other servers read the same: NodeBB asks for
    nothing but the headers, and looks for it there.
    """
    body = _TEMPLATES.get_template(f"{name}.html").render(site=config, **values)
    link = {"Link": f'<{document}>; rel="alternate"; type="application/activity+json"'} if document else {}
    return Response(body, status, HEADERS | link, "text/html")
