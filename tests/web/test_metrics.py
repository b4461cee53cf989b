"""Numbers for monitoring: for programs of this machine and for moderators, in the format of Prometheus."""

import re

import httpx
import pytest

from fedcorp.company import peers
from fedcorp.storage.database import Tx
from tests.web.instance import ORIGIN, Office, hire

pytestmark = pytest.mark.anyio

LINE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.]+')


def asking(office: Office, base: str, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=office.instance.app, client=(address, 5))
    return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)


def _spoil(tx: Tx) -> None:
    tx.conn.exec_driver_sql("UPDATE peers SET fail_count = 3, last_error = 'HTTP 503 \"no\"', next_seq = 8, cursor = 2")


async def test_every_line_can_be_read(office: Office) -> None:
    await office.instance.db.write(peers.add, "hr.localhost", "department")
    await office.instance.db.write(_spoil)
    async with asking(office, "http://127.0.0.1:8000") as http:
        response = await http.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = response.text.splitlines()
    assert all(LINE.fullmatch(line) for line in lines if not line.startswith("# ")), lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {re.match(r"[a-z_]+", line)[0] for line in lines if not line.startswith("#")} <= names  # type: ignore[index]
    assert 'fedcorp_peer_queued{peer="hr.localhost"} 5' in lines
    (info,) = [line for line in lines if line.startswith("fedcorp_peer_info")]
    assert 'state="failing"' in info
    assert 'last_error="HTTP 503 \\"no\\""' in info


@pytest.mark.parametrize(
    ("base", "address", "headers"),
    [
        (ORIGIN, "127.0.0.1", {}),  # a proxy of this machine passes our name on
        ("http://127.0.0.1:8000", "192.0.2.7", {}),
        ("http://localhost:8000", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
    ],
)
async def test_elsewhere_they_are_for_moderators(
    office: Office, base: str, address: str, headers: dict[str, str]
) -> None:
    for name, role, scopes, status in (
        ("mo", "moderator", "admin:read", 200),
        ("di", "moderator", "read", 403),
        ("us", "user", "admin:read", 403),
    ):
        account, token = await hire(office.instance, name, scopes)

        def promote(tx: Tx, id_: int = account.id, role: str = role) -> None:
            tx.conn.exec_driver_sql(f"UPDATE users SET role = '{role}' WHERE account_id = {id_}")

        await office.instance.db.write(promote)
        async with asking(office, base, address, Authorization=f"Bearer {token}", **headers) as http:
            assert (await http.get("/metrics")).status_code == status, name
    async with asking(office, base, address, **headers) as http:
        assert (await http.get("/metrics")).status_code == 401
