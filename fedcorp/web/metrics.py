"""`/metrics`: how the wire stands, in the text format of Prometheus (0.0.4).

For programs on this machine, who ask by a name of it (127.0.0.1, localhost), and elsewhere for who holds a token with
the scope admin:read and looks after the department. A proxy that passes our own name on is no such program.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from starlette.responses import Response

from fedcorp import __version__
from fedcorp.activitypub import gauges
from fedcorp.activitypub.gauges import Wire
from fedcorp.company.peers import Peer
from fedcorp.social import moderation
from fedcorp.storage.database import Tx
from fedcorp.web import auth
from fedcorp.web.call import Call
from fedcorp.web.gate import Gate
from fedcorp.web.hosts import LOOPBACK
from fedcorp.web.problems import OK
from fedcorp.web.route import Route

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SCOPE = "admin:read"


@dataclass(frozen=True, slots=True)
class Metric:
    """One name with its values: (labels, value)."""

    name: str
    words: str
    kind: str = "gauge"
    values: list[tuple[dict[str, str], float]] = field(default_factory=list)


async def show(call: Call) -> Response:
    """The numbers of this moment."""
    token = auth.bearer(call)
    is_here = _is_here(call)
    wire = await call.context.db.read(_read, None if is_here else token, is_here)
    gate: Gate = call.app.state.gate
    every = chain(_metrics(wire), _of_gate(gate))
    body = "".join(line + "\n" for metric in every for line in _lines(metric))
    return Response(body, OK, {"Cache-Control": "no-store"}, CONTENT_TYPE)


def _read(tx: Tx, token: str | None, is_here: bool) -> Wire:
    if not is_here:
        viewer = auth.find_viewer(tx, token)
        auth.check(viewer, scope=SCOPE)
        moderation.check(viewer.role)
    return gauges.read(tx)


def _is_here(call: Call) -> bool:
    """Whether a program of this machine asks us directly."""
    name = call.headers.get("host", "").lower().rsplit(":", 1)[0]
    address = call.client.host if call.client is not None else ""
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
    return is_loopback and name in LOOPBACK and "x-forwarded-for" not in call.headers


# -- the numbers -----------------------------------------------------------------------------------------------------


def _metrics(wire: Wire) -> Iterator[Metric]:
    yield Metric("fedcorp_info", "The version that runs.", values=[({"version": __version__}, 1)])
    yield from _of_peers(wire)
    yield Metric("fedcorp_inbox_waiting", "Activities that came and wait.", values=[({}, wire.inbox_waiting)])
    yield Metric(
        "fedcorp_inbox_deferred", "Activities that wait for something else.", values=[({}, wire.inbox_deferred)]
    )
    yield Metric(
        "fedcorp_inbox_oldest_seconds",
        "For how long the oldest of them waits.",
        values=[({}, wire.inbox_oldest_ms / 1000)],
    )
    outcomes = [({"outcome": word}, float(count)) for word, count in sorted(wire.outcomes.items())]
    yield Metric("fedcorp_inbox_outcomes", "What became of the activities that are kept.", values=outcomes)
    yield Metric(
        "fedcorp_events_waiting", "What happened here and is not told yet.", values=[({}, wire.events_waiting)]
    )
    yield Metric("fedcorp_jobs_waiting", "Jobs that wait or run.", values=[({}, wire.jobs_waiting)])
    yield Metric("fedcorp_jobs_given_up", "Jobs that failed too often.", values=[({}, wire.jobs_given_up)])


def _of_gate(gate: Gate) -> Iterator[Metric]:
    refused = [({"reason": reason}, float(count)) for reason, count in gate.refused.items()]
    yield Metric("fedcorp_gate_refused_total", "Requests of servers that were told to wait.", "counter", refused)
    yield Metric("fedcorp_gate_requests", "Requests of servers that are under way.", values=[({}, gate.held)])


def _of_peers(wire: Wire) -> Iterator[Metric]:
    def each(name: str, words: str, values: Iterable[tuple[Peer, float | None]]) -> Metric:
        kept = [({"peer": peer.domain}, value) for peer, value in values if value is not None]
        return Metric(f"fedcorp_peer_{name}", words, values=kept)

    every = wire.peers
    yield Metric(
        "fedcorp_peer_info", "Who they are and how we speak with them.", values=[(_info(one), 1) for one in every]
    )
    yield each("queued", "Activities that wait for a peer.", ((one, one.queued) for one in every))
    yield each(
        "lag_seconds",
        "For how long the oldest of them waits.",
        ((one, wire.lags.get(one.domain, 0) / 1000) for one in every),
    )
    yield each("failures", "Tries in a row that failed.", ((one, one.fail_count) for one in every))
    yield each("last_success_seconds", "When something was last delivered (Unix).", _seconds(every, "last_success_at"))
    yield each("last_heard_seconds", "When it last delivered here (Unix).", _seconds(every, "last_inbound_at"))
    yield each("clock_skew_seconds", "How far its clock is ahead of ours.", _seconds(every, "clock_skew_ms"))


def _seconds(every: list[Peer], name: str) -> Iterator[tuple[Peer, float | None]]:
    for one in every:
        value = getattr(one, name)
        yield one, None if value is None else value / 1000


def _info(peer: Peer) -> dict[str, str]:
    return {
        "peer": peer.domain,
        "tier": peer.tier,
        "software": peer.software or "",
        "version": peer.version or "",
        "groups": peer.dialect or "",
        "signatures": peer.signature_profile or "",
        "state": "failing" if peer.fail_count else "behind" if peer.queued else "ok",
        "last_error": (peer.last_error or "")[:100],
    }


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.words}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.values:
        inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        number = f"{value:.3f}".rstrip("0").rstrip(".")
        yield f"{metric.name}{{{inside}}} {number}" if inside else f"{metric.name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


ROUTES = (Route("GET", "/metrics", show),)
