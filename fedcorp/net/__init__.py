"""The one door outwards: every outgoing connection of the server is made here, and nowhere else.

Shelves, lowest first: `failures` (what callers may catch), `addresses` (which addresses may be reached), `codings`
(decompression with a limit), `http1` (one connection), `pool` (reuse), `transport` (httpx's interface over all that).
The room knows no ActivityPub: it never signs, never follows redirects, never interprets a body.
"""

from fedcorp.net.addresses import Address, AddressPolicy, Network, Origin, Resolve, resolve_with_system
from fedcorp.net.failures import AddressRefused, BadResponse, DeadlineExceeded, NoResponse, ResponseTooLarge, stage_of
from fedcorp.net.transport import Limits, Transport, default_tls

__all__ = [
    "Address",
    "AddressPolicy",
    "AddressRefused",
    "BadResponse",
    "DeadlineExceeded",
    "Limits",
    "Network",
    "NoResponse",
    "Origin",
    "Resolve",
    "ResponseTooLarge",
    "Transport",
    "default_tls",
    "resolve_with_system",
    "stage_of",
]
