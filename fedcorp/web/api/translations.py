"""Translations of posts, by a service of the company where there is one."""

from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from starlette.responses import Response

from fedcorp.errors import Forbidden, NotFound
from fedcorp.social import accounts, media, polls, statuses, text
from fedcorp.social.media import Media
from fedcorp.social.statuses import Status
from fedcorp.storage.database import Tx
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json

PROVIDER = "LibreTranslate"
ANY = "und"


@dataclass(frozen=True, slots=True)
class _Post:
    """Everything in a post that has words, and the language that its reader reads by default."""

    status: Status
    poll_id: int | None
    options: list[str]
    described: list[Media]
    language: str


async def languages(call: Call) -> Response:
    """GET /api/v1/instance/translation_languages: from what into what; empty where nothing is translated."""
    return json(await call.context.translator.languages())


async def translate(call: Call) -> Response:
    """POST /api/v1/statuses/{id}/translate"""
    params = await call.params()
    wanted = (params.text("lang") or "").strip()[:20]
    post = await call.read(_post, call.id())
    translator = call.context.translator
    pairs = await translator.languages()
    if not pairs:
        raise NotFound
    source, target = post.status.language, _known(wanted or post.language, pairs[ANY])
    if source not in pairs:
        source = None
    if target is None or target not in pairs[source or ANY]:
        raise Forbidden("This post cannot be translated into this language.")
    plain = [post.status.spoiler_text, *post.options, *(item.description for item in post.described)]
    html = [post.status.content, *(escape(part, quote=False) for part in plain)]
    found, language = await translator.translate(html, source, target)
    return json(_answer(post, found[0], [unescape(part) for part in found[1:]], language, target))


def _post(tx: Tx, viewer: Viewer, id_: int) -> _Post:
    """Raises NotFound, Forbidden for what is not for everybody here: it goes to nobody but whom its author chose."""
    if id_ not in statuses.visible_ids(tx, viewer.id, [id_]):
        raise NotFound
    status = statuses.get(tx, id_)
    if status.reblog_of_id is not None:
        return _post(tx, viewer, status.reblog_of_id)
    if status.visibility not in ("public", "unlisted"):
        raise Forbidden("Only public and unlisted posts are translated.")
    poll = polls.load(tx, [status.poll_id], None).get(status.poll_id) if status.poll_id is not None else None
    described = [item for item in media.of_statuses(tx, [id_]).get(id_, []) if item.description]
    language = accounts.settings_of(tx, viewer.id).language or tx.site.config.languages[0]
    return _Post(status, status.poll_id, [option.title for option in poll.options] if poll else [], described, language)


def _known(wanted: str, known: list[str]) -> str | None:
    """The code that the service has for a language: `de` for `de-AT`."""
    return next((code for code in (wanted, wanted.partition("-")[0].lower()) if code in known), None)


def _answer(post: _Post, content: str, plain: list[str], language: str, target: str) -> dict[str, Any]:
    """The Translation entity."""
    titles, descriptions = plain[1 : 1 + len(post.options)], plain[1 + len(post.options) :]
    poll = {"id": str(post.poll_id), "options": [{"title": title} for title in titles]}
    return {
        "content": text.sanitize(content),
        "spoiler_text": plain[0],
        "language": target,
        "media_attachments": [
            {"id": str(item.id), "description": description}
            for item, description in zip(post.described, descriptions, strict=True)
        ],
        "poll": poll if post.options else None,
        "detected_source_language": language,
        "provider": PROVIDER,
    }
