"""The doors for other servers: inboxes to post to, and our documents, which only signed requests may read.

Translates between HTTP and `fedcorp.activitypub`; judges nothing itself. The instance actor alone is shown to all:
without its key nobody could check our signatures, and two strict servers could never meet.

`fedcorp.app` puts `inbox`, `signers`, `client` and `gate` into the state of the router.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import ClassVar, Concatenate, ParamSpec

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fedcorp.activitypub import desk, followers, heads, probe, serving, signatures
from fedcorp.activitypub.client import Client
from fedcorp.activitypub.inbox import Inbox, check_type
from fedcorp.activitypub.serving import Served
from fedcorp.activitypub.signatures import ParsedSignature
from fedcorp.activitypub.signers import Admitted, SignedRequest, Signer, Signers
from fedcorp.activitypub.vocabulary import ACTIVITY_JSON
from fedcorp.errors import Gone, TooLarge, Unauthorized
from fedcorp.storage.database import Tx
from fedcorp.urls import Urls
from fedcorp.web.call import Call
from fedcorp.web.gate import Gate
from fedcorp.web.problems import ACCEPTED, GONE, OK, SEE_OTHER
from fedcorp.web.rate import client_address, networks
from fedcorp.web.route import Route

P = ParamSpec("P")

_PRIVATE = {"Vary": "Accept, Signature, Signature-Input, User-Agent", "Cache-Control": "private, no-cache"}
_OPEN = {"Vary": "Accept", "Cache-Control": "public, max-age=180"}


def _inbox(call: Call) -> Inbox:
    inbox: Inbox = call.app.state.inbox
    return inbox


def _gate(call: Call) -> Gate:
    gate: Gate = call.app.state.gate
    return gate


def _signers(call: Call) -> Signers:
    signers: Signers = call.app.state.signers
    return signers


def signed_request(request: Request, body: bytes | None = None) -> SignedRequest:
    """A request as its signature sees it: the raw target, and repeated headers joined (RFC 9421 2.1)."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = request.scope["query_string"].decode("latin-1")
    path = (request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    return SignedRequest(request.method, f"{path}?{query}" if query else path, headers, body)


# -- inboxes ---------------------------------------------------------------------------------------------------------


async def post_inbox(call: Call) -> Response:
    """Take an activity for whomever it concerns."""
    request, inbox = signed_request(call), _inbox(call)
    check_type(call.headers.get("content-type", ""))
    with _unsigned():
        async with _passing(call, request, inbox.admit, stores=True) as admitted:
            await inbox.receive(replace(request, body=await _body(call)), admitted)
            _gate(call).proven(admitted.domain, stored=True)
    return Response(status_code=ACCEPTED)


@contextmanager
def _unsigned() -> Iterator[None]:
    try:
        yield
    except Unauthorized as error:
        raise Unsigned(error.text, error.detail) from error


@asynccontextmanager
async def _passing(
    call: Call,
    request: SignedRequest,
    admit: Callable[[ParsedSignature, str], Awaitable[Admitted]],
    *,
    stores: bool = False,
) -> AsyncIterator[Admitted]:
    """Let a peer through the gate; its body was not read yet. Raises what `claimed`, `admit` and the gate raise."""
    gate, address = _gate(call), client_address(call, networks(call.context.config))
    parsed, domain = Signers.claimed(request)
    await gate.check(domain, address)
    await call.context.clock.sleep(0)  # between the steps of another server's request people are served
    admitted = await admit(parsed, domain)
    async with gate.passing(admitted.domain, address, _size(call), stores=stores):
        yield admitted


def _size(call: Call) -> int:
    """How many bytes the body may have. Raises TooLarge when that is too many."""
    if call.method in ("GET", "HEAD"):
        return 0
    most = call.context.config.limits.body_bytes
    declared = call.headers.get("content-length", "")
    if not (declared.isascii() and declared.isdigit()):
        return most
    if int(declared) > most:
        raise TooLarge(f"The request is larger than {most} bytes.")
    return int(declared)


async def _body(call: Call) -> bytes:
    async with _gate(call).arriving():
        return await call.capped_body(call.context.config.limits.body_bytes)


async def post_own_inbox(call: Call) -> Response:
    """Take an activity for one account; the account must exist, the rest is as for the shared inbox."""
    owner = await call.context.db.read(serving.find_inbox_owner, _uri(call))
    if owner is not None and owner.deleted_at is not None:
        raise Gone("This account was deleted.")
    return await post_inbox(call)


def _uri(call: Call) -> str:
    """The URI of the object that the first two parts of the path name."""
    kind = call.scope["path"].strip("/").split("/", 1)[0]
    return f"{Urls(call.context.config.origin).origin}/{kind}/{call.id()}"


# -- documents -------------------------------------------------------------------------------------------------------


async def get_instance_actor(call: Call) -> Response:
    """The actor of the server, for everybody."""
    return _answer(await call.context.db.read(serving.instance_actor), _OPEN)


async def get_instance_outbox(call: Call) -> Response:
    """What the server itself says, which is nothing: its actor names this address, and some count what stands there."""
    return _answer(await call.context.db.read(serving.instance_outbox), _OPEN)


async def _serve(call: Call, find: Callable[Concatenate[Tx, P], Served], *args: P.args, **kwargs: P.kwargs) -> Response:
    """Answer with what `find(tx, ..., signer)` returns."""
    return _answer(await call.context.db.read(find, *args, **kwargs), _PRIVATE)


def _answer(served: Served, headers: dict[str, str]) -> Response:
    status = GONE if served.gone else OK
    return Response(orjson.dumps(served.document), status, headers, ACTIVITY_JSON)


async def _signer(call: Call) -> Signer:
    """Who asks, once the gate and the signature let them through."""
    return (await _signed(call))[0]


async def _signed(call: Call) -> tuple[Signer, bytes]:
    """Who asks, and the body that they signed; empty for a GET."""
    request, signers = signed_request(call), _signers(call)
    with _unsigned():
        async with _passing(call, request, signers.admit) as admitted:
            body = await _body(call) if call.method == "POST" else None
            signer = await signers.identify(replace(request, body=body), admitted)
            _gate(call).proven(signer.domain)
            return signer, body or b""


class Unsigned(Unauthorized):
    """A request without a signature that holds: the answer says what one must be (RFC 9421 section 5)."""

    headers: ClassVar = {
        "Accept-Signature": signatures.ACCEPT_SIGNATURE,
        "WWW-Authenticate": 'Signature realm="fedcorp"',
    }


def _wants_page(call: Call) -> bool:
    accept = call.headers.get("accept", "")
    return "text/html" in accept and "json" not in accept and "signature" not in call.headers


async def get_actor(call: Call) -> Response:
    """A person or group; people with a browser are sent to the page. Who cannot sign this reads the key alone."""
    if _wants_page(call):
        return await _to_page(call)
    if (domain := await _signers(call).reader_of_keys(call.headers)) is not None:
        return await _get_key(call, domain)
    return await _serve(call, serving.actor, _uri(call), await _signer(call))


async def _get_key(call: Call, domain: str) -> Response:
    gate, address = _gate(call), client_address(call, networks(call.context.config))
    await gate.check(domain, address)
    async with gate.passing(domain, address, 0, stores=False):
        return await _serve(call, serving.key, _uri(call))


async def get_note(call: Call) -> Response:
    """A note; people with a browser are sent to the page."""
    if _wants_page(call):
        return await _to_page(call)
    return await _serve(call, serving.note, _uri(call), await _signer(call))


async def _to_page(call: Call) -> Response:
    """The page decides what its reader may see; the redirect must not tell more than it."""
    return RedirectResponse(await call.context.db.read(serving.page_of, _uri(call)), SEE_OTHER)


async def _get_actor_at_page(call: Call) -> Response:
    return await _serve(call, serving.actor_at_page, call.path_params["name"], await _signer(call))


async def _get_note_at_page(call: Call) -> Response:
    return await _serve(call, serving.note_at_page, call.path_params["name"], call.id(), await _signer(call))


def with_documents(pages: tuple[Route, ...]) -> tuple[Route, ...]:
    """These routes; where they lead to the page of a person, a group or a post, a server that signs gets the document.

    People paste the address of a page into their own server, and not every server signs anew where it is sent on.
    """
    return tuple(
        replace(route, handler=_page_or_document(route.handler, _AT_PAGES[route.path])) if route.path in _AT_PAGES
        else route
        for route in pages
    )  # fmt: skip


_Handler = Callable[[Call], Awaitable[Response]]
_AT_PAGES: dict[str, _Handler] = {"/@{name}": _get_actor_at_page, "/@{name}/{id}": _get_note_at_page}


def _page_or_document(page: _Handler, document: _Handler) -> _Handler:
    async def get(call: Call) -> Response:
        wants_document = "json" in call.headers.get("accept", "") and "signature" in call.headers
        return await (document if wants_document else page)(call)

    return get


def _get_actor_collection(name: str) -> Callable[[Call], Awaitable[Response]]:
    async def get_collection(call: Call) -> Response:
        return await _serve(call, serving.actor_collection, _uri(call), name, await _signer(call))

    return get_collection


def _get_note_collection(name: str) -> Callable[[Call], Awaitable[Response]]:
    async def get_collection(call: Call) -> Response:
        paged = "page" in call.query_params
        return await _serve(call, serving.note_collection, _uri(call), name, paged, await _signer(call))

    return get_collection


async def get_activity(call: Call) -> Response:
    """An activity as it was sent."""
    return await _serve(call, serving.activity, _uri(call), await _signer(call))


async def get_followers_at(call: Call) -> Response:
    """Who on the asker's server follows an account, so that both sides can agree on it."""
    return await _serve(call, serving.followers_at, _uri(call), await _signer(call))


async def get_ledger(call: Call) -> Response:
    """The ledger of a group, a page at a time, behind the number `after`."""
    after = call.query.integer("after", least=0) or 0
    return await _serve(call, serving.ledger_page, _uri(call), after, await _signer(call))


async def get_relayed(call: Call) -> Response:
    """What a group says to members whose servers cannot keep its posts."""
    return await _serve(call, serving.relayed, _uri(call), call.id("status"), await _signer(call))


def _get_desk(name: str) -> Callable[[Call], Awaitable[Response]]:
    async def get_page(call: Call) -> Response:
        return await _serve(call, desk.page, _uri(call), name, await _signer(call))

    return get_page


async def post_heads(call: Call) -> Response:
    """Compare the ledger of a group with what another department was told of it."""
    signer, body = await _signed(call)
    return _answer(await call.context.db.write(heads.meet, body, signer), _PRIVATE)


async def get_stamp(call: Call) -> Response:
    """The leave to quote a post."""
    return await _serve(call, serving.stamp, _uri(call), await _signer(call))


async def post_echo(call: Call) -> Response:
    """Knock at the server that asks for it, so that its administrator learns whether we get through."""
    client: Client = call.app.state.client
    answer = await probe.echo(client, await _signer(call))
    return Response(orjson.dumps(answer), OK, _PRIVATE, ACTIVITY_JSON)


async def get_thread(call: Call) -> Response:
    """The posts of a thread that began here."""
    return await _serve(call, serving.thread, call.id(), await _signer(call))


ROUTES = (
    Route("POST", "/inbox", post_inbox),
    Route("POST", "/u/{id}/inbox", post_own_inbox),
    Route("POST", "/g/{id}/inbox", post_own_inbox),
    Route("GET", "/actor", get_instance_actor),
    Route("GET", "/actor/outbox", get_instance_outbox),
    Route("GET", "/u/{id}", get_actor),
    Route("GET", "/g/{id}", get_actor),
    *(
        Route("GET", f"/{kind}/{{id}}/{name}", _get_actor_collection(name))
        for kind in ("u", "g")
        for name in ("followers", "following", "outbox", "featured")
    ),
    *(Route("GET", f"/{kind}/{{id}}/{followers.PLACE}", get_followers_at) for kind in ("u", "g")),
    Route("GET", "/g/{id}/ledger", get_ledger),
    Route("POST", heads.PLACE, post_heads),
    Route("POST", probe.ECHO, post_echo),
    *(Route("GET", f"/g/{{id}}/{name}", _get_desk(name)) for name in desk.NAMES),
    Route("GET", "/g/{id}/relay/{status}", get_relayed),
    *(Route("GET", f"/g/{{id}}/{name}", _get_actor_collection(name)) for name in ("moderators", "affiliations")),
    Route("GET", "/o/{id}", get_note),
    *(Route("GET", f"/o/{{id}}/{name}", _get_note_collection(name)) for name in ("replies", "likes", "shares")),
    Route("GET", "/a/{id}", get_activity),
    Route("GET", "/t/{id}", get_thread),
    Route("GET", "/q/{id}", get_stamp),
)
