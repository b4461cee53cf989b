"""The security checklist (federation.md section 6): every weakness that another server had, tried at our doors.

Each test is named after the entry it stands for. What another file tests already is named in ELSEWHERE, what does not
exist here (and so cannot be attacked) in ABSENT; a test holds the three against the list.
"""

import ast
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fedcorp import keys
from fedcorp.activitypub import signatures
from fedcorp.activitypub.documents import origin
from fedcorp.activitypub.vocabulary import format_time
from fedcorp.company import peers
from fedcorp.errors import FedcorpError
from fedcorp.social import accounts, moderation
from fedcorp.storage.database import Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import inbox, media, metadata, statuses
from fedcorp.storage.tables import peers as peers_table
from tests.federation.world import ACTIVITY, PUBLIC, Company, Department, Outsider, Person, plain
from tests.wire.server import outcomes

pytestmark = [pytest.mark.anyio, pytest.mark.once]
ROOT = Path(__file__).parents[1]

CHECKLIST = (
    "cve_2024_23832", "cve_2024_25623", "cve_2024_25636", "akkoma_2024", "cve_2023_49079", "cve_2025_54888",
    "cve_2026_28432", "nodebb_2026", "cve_2024_37903", "cve_2026_46349", "cve_2026_48028", "cve_2026_42462",
    "cve_2024_32983", "cve_2023_36460", "cve_2023_36459", "cve_2023_42452", "cve_2025_53941", "cve_2023_36461",
    "cve_2025_68475", "ghsa_qrgq_9fx2_vf2r", "cve_2025_25194", "cve_2026_33693", "cve_2026_50131",
    "ghsa_vwhj_3g83_v276", "ghsa_46w6_g98f_wxqm", "cve_2026_77632", "cve_2026_62857", "cve_2025_23221",
    "cve_2026_34148", "cve_2026_69132", "cve_2026_29178", "cve_2025_32947", "cve_2025_32948", "cve_2025_32945",
    "cve_2025_32944", "cve_2025_32949", "cve_2025_30741", "cve_2026_25808", "ghsa_ccpr_m53r_mfwr",
    "ghsa_gwhw_gcjx_72v8", "cve_2024_23649", "ghsa_q4g8_82c5_9h33", "ghsa_5h2f_wg8j_xqwp", "ghsa_rwcw_vq68_g34p",
    "ghsa_gg8q_rcg7_p79g", "cve_2023_49952", "cve_2025_54879", "cve_2023_42451", "cve_2024_25618", "cve_2026_22246",
    "ghsa_r2fh_jr9c_9pxh", "cve_2023_5588", "cve_2023_46950", "iceshrimp_sec1_sec2", "cve_2024_52591", "mitra",
    "rule_ssrf_intranet", "rule_json", "rule_decompression", "rule_collections", "rule_recursion", "rule_mentions",
    "rule_webfinger", "rule_replay", "rule_oracle", "rule_private_keys", "rule_html", "rule_media",
)  # fmt: skip

ELSEWHERE = {
    "cve_2026_48028": "activitypub/test_jsonld.py::test_keywords_that_rearrange_are_refused",
    "cve_2023_36461": "net/test_exchange.py::test_slow_answers_meet_the_total_deadline",
    "cve_2025_25194": "net/test_addresses.py::test_address_table",
    "cve_2026_33693": "net/test_addresses.py::test_no_configuration_opens_what_is_no_peer",
    "cve_2026_50131": "net/test_addresses.py::test_wrapping_an_address_changes_nothing",
    "ghsa_vwhj_3g83_v276": "net/test_addresses.py::test_address_table",
    "cve_2026_62857": "net/test_connect.py::test_rebinding_name_stays_pinned_and_is_vetted_anew",
    "cve_2024_23649": "web/test_reports.py::test_only_posts_that_the_reporter_sees_and_the_target_wrote",
    "cve_2023_49952": "web/test_layers.py::test_only_trusted_proxies_name_the_address",
    "cve_2025_54879": "web/test_layers.py::test_kinds_of_requests_are_counted_apart",
    "ghsa_r2fh_jr9c_9pxh": "web/test_moderation.py::test_whoever_is_suspended_is_gone_until_shown_again",
    "rule_ssrf_intranet": "net/test_addresses.py::test_metadata_needs_its_own_line_in_the_configuration",
    "rule_decompression": "net/test_exchange.py::test_compression_bomb",
    "rule_json": "activitypub/test_documents.py::test_bodies_that_are_refused",
}
ABSENT = {
    "cve_2025_32944": "nothing imports archives",
    "cve_2025_32949": "nothing imports archives",
    "cve_2024_25618": "nobody signs in by way of another server",
    "cve_2026_22246": "there are no exports of lists",
    "cve_2023_46950": "there is no page that shows queues",
    "cve_2023_5588": "nothing imports packs of emoji",
    "ghsa_q4g8_82c5_9h33": "quotes have tests of their own, where they are made",
}


def test_every_entry_of_the_checklist_has_its_test() -> None:
    here = set(re.findall(r"^(?:async )?def test_sec_(\w+)", Path(__file__).read_text(), re.MULTILINE))
    named = {name for name in CHECKLIST if any(mine == name or mine.startswith(f"{name}_") for mine in here)}
    assert set(CHECKLIST) - named - set(ELSEWHERE) - set(ABSENT) == set()
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        assert name in {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }


class Scene:
    """finance, where ann follows eva of a partner; another partner, whose vic she follows as well."""

    def __init__(self, company: Company, finance: Department, ann: Person) -> None:
        self.company, self.finance, self.ann = company, finance, ann
        self.evil, self.good = Outsider(company, "evil.localhost"), Outsider(company, "good.localhost", number=4)
        self.eva, self.vic = self.evil.actor("eva"), self.good.actor("vic")

    async def begin(self) -> None:
        for server, actor in ((self.evil, self.eva), (self.good, self.vic)):
            await self.finance.db.write(peers.add, server.domain, "partner")
            await self.ann.follow(f"{actor.rsplit('/', 1)[1]}@{server.domain}")
            await self.company.settle()
            await server.deliver(self.finance, server.activity("Accept", actor, server.received[-1]))
            await self.company.settle()

    async def send(self, kind: str, thing: Any, *, by: str = "", **more: Any) -> int:
        """eva sends something; the status of the answer, after it was acted upon."""
        how = {name: more.pop(name) for name in ("signer", "alter", "more", "path") if name in more}
        document = self.evil.activity(kind, by or self.eva, thing, **more)
        response = await self.evil.deliver(self.finance, document, signer=how.pop("signer", self.eva), **how)
        await self.company.settle()
        return response.status_code

    async def seen(self) -> list[str]:
        return [plain(item["content"]) for item in await self.ann.home()]

    async def find(self, url: str) -> Any:
        return await self.ann.find_status(url)

    async def rows(self) -> int:
        def count(tx: Tx) -> int:
            return int(tx.conn.execute(sa.select(sa.func.count()).select_from(statuses)).scalar_one())

        return await self.finance.db.read(count)


@pytest.fixture
async def scene(company: Company) -> Scene:
    finance = await company.department("finance")
    made = Scene(company, finance, await finance.person("ann"))
    await made.begin()
    return made


# -- who says what ---------------------------------------------------------------------------------------------------


async def test_sec_cve_2024_23832_a_document_counts_at_its_own_address_only(scene: Scene) -> None:
    forged = scene.good.note(scene.vic, "I resign", id=f"{scene.good.origin}/notes/forged")
    scene.good.documents.pop(forged["id"])
    there = f"{scene.evil.origin}/notes/1"
    scene.evil.documents[there] = forged
    assert await scene.find(there) is None
    scene.evil.documents[there] = {**forged, "id": there}  # an author of elsewhere
    assert await scene.find(there) is None
    actor = {**scene.good.documents[scene.vic], "name": "Taken over"}
    scene.evil.documents[f"{scene.evil.origin}/users/vic"] = actor
    await scene.ann.get("/api/v2/search", q=f"{scene.evil.origin}/users/vic", resolve="true")
    found = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find('vic@good.localhost')}")
    assert found["display_name"] == "Vic"


class Typed(Outsider):
    """A server that serves documents with any type, and redirects."""

    kinds: dict[str, str]
    moved: dict[str, str]

    async def respond(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if url in getattr(self, "moved", {}):
            return httpx.Response(302, headers={"Location": self.moved[url]}, request=request)
        response = await super().respond(request)
        if url in getattr(self, "kinds", {}):
            response.headers["Content-Type"] = self.kinds[url]
        return response


async def _typed(scene: Scene) -> Typed:
    server = Typed(scene.company, "typed.localhost")
    server.kinds, server.moved = {}, {}
    await scene.finance.db.write(peers.add, server.domain, "partner")
    return server


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/ld+json", "text/plain", "image/png", "text/html; x=application/activity+json"],
)
async def test_sec_cve_2024_25623_what_is_served_as_something_else_is_no_document(scene: Scene, kind: str) -> None:
    server = await _typed(scene)
    note = server.note(server.actor("tom"), "an upload")
    server.kinds[note["id"]] = kind
    assert await scene.find(note["id"]) is None
    server.kinds.clear()
    scene.company.clock.shift_ms += 60_000
    assert (await scene.find(note["id"]))["content"] == "<p>an upload</p>"


async def test_sec_cve_2024_25636_uploads_of_ours_are_never_documents(scene: Scene) -> None:
    evil = json.dumps(scene.evil.note(scene.ann.account.uri, "forged")).encode()
    sent = await scene.ann.http.post("/api/v2/media", files={"file": ("x.json", evil, ACTIVITY)})
    assert sent.status_code == 422


async def test_sec_akkoma_2024_a_redirect_leads_to_what_names_its_own_address(scene: Scene) -> None:
    server = await _typed(scene)
    victim = scene.good.note(scene.vic, "true words")
    server.moved[f"{server.origin}/notes/9"] = victim["id"]
    assert plain((await scene.find(f"{server.origin}/notes/9"))["content"]) == "true words", "read where it belongs"
    hidden = server.note(server.actor("tom"), "an upload", id=f"{server.origin}/media/1.json")
    server.documents[hidden["id"]] = {**hidden, "id": f"{server.origin}/notes/10"}
    server.moved[f"{server.origin}/notes/10"] = hidden["id"]
    assert await scene.find(f"{server.origin}/notes/10") is None


async def test_sec_cve_2023_49079_the_key_belongs_to_the_actor(scene: Scene) -> None:
    before = await scene.rows()
    dora = scene.evil.actor("dora")
    assert await scene.send("Create", scene.evil.note(dora, "not mine"), by=dora) == 401
    assert await scene.rows() == before


async def test_sec_cve_2025_54888_nothing_is_done_before_all_is_checked(scene: Scene) -> None:
    other = Outsider(scene.company, "evil.localhost", number=5)
    other.documents = scene.evil.documents
    response = await other.deliver(scene.finance, other.activity("Delete", scene.eva, scene.eva), signer=scene.eva)
    assert response.status_code == 401
    await scene.company.settle()
    assert await scene.ann.find("eva@evil.localhost")


@pytest.mark.parametrize(
    "change",
    [
        ("signature", re.compile(r'headers="[^"]*"'), 'headers=""'),
        ("signature", re.compile(r'headers="[^"]*",'), ""),
        ("signature", re.compile(r'signature="[^"]*"'), 'signature=""'),
        ("signature", re.compile(r'keyId="[^"]*"'), 'keyId=""'),
        ("signature", re.compile(r"\A"), 'keyId="http://evil.localhost/users/x#main-key",'),
        ("signature", re.compile(r"rsa-sha256"), "none"),
        ("signature", re.compile(r"\A.*\Z"), "Signature"),
        ("digest", re.compile(r"\A.*\Z"), ""),
        ("digest", re.compile(r"\A"), "SHA-256=AAAA,"),
    ],
)
async def test_sec_cve_2026_28432_a_signature_with_holes_is_none(scene: Scene, change: Any) -> None:
    name, pattern, new = change

    def alter(request: httpx.Request) -> httpx.Request:
        request.headers[name] = pattern.sub(new, request.headers[name], count=1)
        return request

    assert await scene.send("Create", scene.evil.note(scene.eva, "hello"), alter=alter) == 401
    assert "hello" not in await scene.seen()


@pytest.mark.parametrize("author", ["1", "ann", "/u/1", "acct:ann@finance.localhost", 1, None, ["1"], {"id": "1"}])
async def test_sec_nodebb_2026_ids_are_addresses(scene: Scene, author: Any) -> None:
    note = {**scene.evil.note(scene.eva, "by an admin"), "attributedTo": author}
    await scene.send("Create", note)
    assert "by an admin" not in await scene.seen()


async def test_sec_cve_2024_37903_a_known_post_keeps_its_audience(scene: Scene) -> None:
    theirs = scene.good.note(scene.vic, "for followers", to=[scene.vic + "/followers"], cc=[])
    await scene.good.deliver(scene.finance, scene.good.activity("Create", scene.vic, theirs))
    await scene.company.settle()
    await scene.send("Create", {**theirs, "to": [PUBLIC], "attributedTo": scene.eva})
    await scene.send("Create", {**theirs, "to": [PUBLIC]})
    (found,) = [item for item in await scene.ann.home() if plain(item["content"]) == "for followers"]
    assert found["visibility"] == "private"
    mine = await scene.ann.publish("mine", visibility="direct")
    await scene.send("Create", {**scene.evil.note(scene.eva, "mine"), "id": mine["uri"], "to": [PUBLIC]})
    assert (await scene.ann.get(f"/api/v1/statuses/{mine['id']}"))["visibility"] == "direct"


@pytest.mark.parametrize("kind", ["Create", "Update"])
async def test_sec_cve_2024_37903_a_known_post_is_changed_by_its_author_alone(scene: Scene, kind: str) -> None:
    """Another person of the same server, who says to have written it; a later Create is an edit, as an Update is."""
    note = scene.evil.note(scene.eva, "first")
    await scene.send("Create", note)
    dora = scene.evil.actor("dora")
    later = {
        **note,
        "content": "<p>taken</p>",
        "updated": format_time(scene.company.clock.now() + timedelta(minutes=1)),
    }
    await scene.send(kind, {**later, "attributedTo": dora}, by=dora, signer=dora)
    assert await scene.seen() == ["first"]
    await scene.send(kind, later)
    assert await scene.seen() == ["taken"]


# -- what a document means -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["@graph", "@included", "@reverse", "@nest", "@index"])
async def test_sec_cve_2026_46349_a_document_cannot_be_rearranged(scene: Scene, key: str) -> None:
    note = {**scene.evil.note(scene.eva, "rearranged"), key: [{"attributedTo": scene.vic}]}
    assert await scene.send("Create", note) == 400
    more: dict[str, Any] = {key: {"actor": scene.vic}}
    assert await scene.send("Create", scene.evil.note(scene.eva, "rearranged"), **more) == 400
    assert "rearranged" not in await scene.seen()


async def _linked_data_signed(scene: Scene) -> int:
    document = scene.good.activity("Create", scene.vic, scene.good.note(scene.vic, "forwarded"))
    document["signature"] = {
        "type": "RsaSignature2017", "creator": f"{scene.vic}#main-key", "created": "2026-11-01T00:00:00Z",
        "signatureValue": "AAAA",
    }  # fmt: skip
    response = await scene.evil.deliver(scene.finance, document, signer=scene.eva)
    await scene.company.settle()
    assert "forwarded" not in await scene.seen()
    return response.status_code


async def test_sec_cve_2026_42462_linked_data_signatures_prove_nothing_here(scene: Scene) -> None:
    assert await _linked_data_signed(scene) == 401


async def test_sec_cve_2024_32983_nor_do_they_without_normalisation(scene: Scene) -> None:
    scene.good.documents[scene.vic].pop("assertionMethod")
    assert await _linked_data_signed(scene) == 401


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<p onclick=alert(1)>x</p>",
        "<iframe src=x></iframe>",
        "<form action='https://evil.localhost'><input name=password></form>", "<a href='javascript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>", "<svg onload=alert(1)>", "<style>*{}</style>",
        "<p style='position:fixed'>x</p>",
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>", "<object data=x>",
        "<base href='https://evil.localhost'>",
    ],
)  # fmt: skip
async def test_sec_cve_2023_36459_markup_of_others_is_made_safe(scene: Scene, content: str) -> None:
    scene.evil.actor("eva", summary=content, attachment=[{"type": "PropertyValue", "name": "x", "value": content}])
    document = {**scene.evil.documents[scene.eva], "updated": "2026-11-25T00:00:00Z"}
    await scene.send("Update", document)
    await scene.send(
        "Create", {**scene.evil.note(scene.eva, ""), "content": content + "<p>end</p>", "summary": content}
    )
    (found,) = await scene.ann.home()
    account = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find('eva@evil.localhost')}")
    for text in (found["content"], found["spoiler_text"], account["note"], account["fields"][0]["value"]):
        assert not re.search(
            r"<(script|img|iframe|form|input|svg|style|math|object|base)|\son\w+=|javascript:|style=", text
        )


async def test_sec_cve_2023_42452_names_and_warnings_are_no_markup(scene: Scene) -> None:
    await scene.send("Create", {**scene.evil.note(scene.eva, "x"), "summary": "<b>bold</b> & <script>x</script>"})
    (found,) = await scene.ann.home()
    assert "<" not in found["spoiler_text"]


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("x<y", "x<y"), ("if a<b then c", "if a<b then c"), ("1 < 2 <3 & x <- y", "1 < 2 <3 & x <- y"),
        ("about <Alien>, <b>the film</b>", "about <Alien>, the film"), ("<p>a &lt; b<br>c</p>", "a < b c"),
        ("<scrip<b></b>t>x</scrip<b></b>t>y", "xy"), ("<<i>img src=x onerror=alert(1)>z", "z"),
        ("<y onclick=alert(1)>z", "z"), ("<y/<b></b>onclick=alert(1) w", ""), ("a </y>b", "a b"),
        ("<img src=x onerror=alert(1)", ""),
    ],
)  # fmt: skip
async def test_sec_rule_a_warning_keeps_what_is_no_markup(scene: Scene, summary: str, shown: str) -> None:
    """Some write plain text there, some HTML."""
    await scene.send("Create", {**scene.evil.note(scene.eva, "x"), "summary": summary, "sensitive": True})
    (found,) = await scene.ann.home()
    assert found["spoiler_text"] == shown


async def test_sec_cve_2025_53941_links_have_a_scheme_that_is_safe(scene: Scene) -> None:
    content = "<a href='https://x.example'>a</a><a href='vbscript:x'>b</a><a href='//evil.localhost'>c</a>"
    await scene.send("Create", {**scene.evil.note(scene.eva, "x"), "content": content})
    (found,) = await scene.ann.home()
    assert set(re.findall(r'href="([^"]*)"', found["content"])) == {"https://x.example"}
    assert all("noopener" in tag for tag in re.findall(r"<a [^>]*>", found["content"]) if "href" in tag)


@pytest.mark.parametrize("piece", ["<", "<a ", "<a href='", "&", "<!--", "</", "<![CDATA[", "<p><b>"])
async def test_sec_cve_2025_68475_endless_markup_is_read_once(scene: Scene, piece: str) -> None:
    await scene.send(
        "Create", {**scene.evil.note(scene.eva, ""), "content": piece * (200_000 // len(piece)) + "<p>end</p>"}
    )
    (row,) = (await outcomes(scene.finance))[-1:]
    assert row[1] in ("processed", "ignored", "refused")


async def test_sec_ghsa_qrgq_9fx2_vf2r_one_odd_text_stops_nothing_behind_it(scene: Scene) -> None:
    for content in ("<p>" * 5000, "\u0000", "&#xd800;", "<\ud7ff>", "\u202e" * 1000, "<p " + "a=b " * 5000 + ">"):
        note = {**scene.evil.note(scene.eva, ""), "content": content}
        await scene.evil.deliver(scene.finance, scene.evil.activity("Create", scene.eva, note))
    await scene.send("Create", scene.evil.note(scene.eva, "and then this"))
    assert "and then this" in await scene.seen()
    assert all(row[1] != "failed" for row in await outcomes(scene.finance))


async def test_sec_iceshrimp_sec1_sec2_pages_and_ids_of_elsewhere_do_not_count(scene: Scene) -> None:
    await scene.send("Create", scene.evil.note(scene.eva, "phishing", url=f"{scene.good.origin}/login"))
    await scene.send("Create", scene.evil.note(scene.eva, "polluting", id=f"{scene.good.origin}/notes/77"))
    (found,) = await scene.ann.home()
    assert plain(found["content"]) == "phishing"
    assert scene.good.origin not in (found["url"] or "")
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    assert await scene.send("Create", scene.evil.note(scene.eva, "deep", tag=deep)) == 400


async def test_sec_cve_2024_52591_polls_change_by_their_owner_and_links_lead_where_they_say(scene: Scene) -> None:
    options = [{"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": 1}} for name in "ab"]
    poll = scene.good.note(scene.vic, "which?", type="Question", oneOf=options, endTime="2999-01-01T00:00:00Z")
    await scene.good.deliver(scene.finance, scene.good.activity("Create", scene.vic, poll))
    await scene.company.settle()
    faked = [{**one, "replies": {"type": "Collection", "totalItems": 999}} for one in options]
    await scene.send("Update", {**poll, "oneOf": faked, "updated": "2026-11-25T00:00:00Z"})
    (found,) = await scene.ann.home()
    assert [one["votes_count"] for one in found["poll"]["options"]] == [1, 1]


# -- where we connect to ---------------------------------------------------------------------------------------------


def test_sec_ghsa_46w6_g98f_wxqm_there_is_one_way_out() -> None:
    """Nothing of the server makes a client of its own; the doctor, which the administrator runs, uses the same door."""
    for path in (ROOT.parent / "fedcorp").rglob("*.py"):
        room = path.relative_to(ROOT.parent / "fedcorp").parts[0]
        text = path.read_text()
        if room not in ("net", "commands"):
            assert not re.search(r"httpx\.(AsyncClient|Client|get|post|request|stream)\(|AsyncHTTPTransport", text), (
                path
            )


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/x", "http://10.0.0.1/x", "http://169.254.169.254/latest/meta-data", "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x", "http://stranger.localhost/x", "file:///etc/passwd", "gopher://x/",
        "//stranger.localhost/x",
        "http://user:pass@good.localhost/x", "http://finance.localhost/u/1",
    ],
)  # fmt: skip
async def test_sec_cve_2026_77632_every_hop_of_a_redirect_is_vetted(scene: Scene, target: str) -> None:
    server = await _typed(scene)
    server.moved[f"{server.origin}/notes/1"] = target
    before = len(scene.company.network.requests)
    assert await scene.find(f"{server.origin}/notes/1") is None
    asked = {one.url.netloc.decode() for one in scene.company.network.requests[before:]}
    assert asked == {server.domain}


async def test_sec_cve_2025_23221_webfinger_redirects_end(scene: Scene) -> None:
    server = await _typed(scene)
    first = f"{server.origin}/.well-known/webfinger?resource=acct%3Atom%40typed.localhost"
    server.moved |= {first: f"{server.origin}/a", f"{server.origin}/a": f"{server.origin}/b"}
    server.moved[f"{server.origin}/b"] = f"{server.origin}/a"
    await scene.ann.get("/api/v2/search", q="tom@typed.localhost", resolve="true")
    asked = [one for one in scene.company.network.requests if one.url.host == server.domain]
    assert len(asked) <= 4


async def test_sec_cve_2026_34148_what_cannot_be_had_is_not_asked_for_again_and_again(scene: Scene) -> None:
    for number in range(10):
        note = scene.evil.note(scene.eva, f"answer {number}", inReplyTo=f"{scene.good.origin}/notes/none")
        await scene.send("Create", note)
    assert scene.good.fetched.count(f"{scene.good.origin}/notes/none") == 1
    ghost = f"{scene.evil.origin}/users/ghost"
    for _ in range(10):
        assert await scene.send("Like", f"{scene.finance.origin}/o/1", by=ghost, signer=ghost) == 401
    assert scene.evil.fetched.count(ghost) == 1


async def test_sec_cve_2026_69132_nothing_is_kept_of_hosts_that_are_no_peers(scene: Scene) -> None:
    def count(tx: Tx) -> int:
        return int(tx.conn.execute(sa.select(sa.func.count()).select_from(peers_table)).scalar_one())

    before = await scene.finance.db.read(count)
    requests = len(scene.company.network.requests)
    for number in range(50):
        server = Outsider(scene.company, f"host{number}.localhost")
        actor = server.actor("x")
        assert (await server.deliver(scene.finance, server.activity("Like", actor, actor))).status_code == 403
        await scene.find(f"{server.origin}/notes/1")
    assert await scene.finance.db.read(count) == before
    assert len(scene.company.network.requests) == requests
    client = scene.finance.instance.client
    for number in range(6000):
        client._remember(f"{scene.evil.origin}/{number}", FedcorpError("x"))
    assert len(client._failed) <= 4096


async def test_sec_cve_2026_29178_no_address_of_ours_fetches_what_it_is_told(scene: Scene) -> None:
    before = len(scene.company.network.requests)
    for path in (
        "/media/http%3A%2F%2Fgood.localhost%2Fx",
        "/media/x?url=http://good.localhost/x",
        "/avatars/1.png?url=x",
    ):
        response = await scene.ann.http.get(path)
        assert response.status_code in (200, 404)
    assert len(scene.company.network.requests) == before


# -- how much --------------------------------------------------------------------------------------------------------


async def test_sec_cve_2025_32947_threads_in_circles_end(scene: Scene) -> None:
    ids = [f"{scene.evil.origin}/notes/c{number}" for number in range(3)]
    for number, uri in enumerate(ids):
        scene.evil.note(scene.eva, f"circle {number}", id=uri, inReplyTo=ids[(number + 1) % 3])
    await scene.send("Create", scene.evil.documents[ids[0]])
    assert len([uri for uri in scene.evil.fetched if uri in ids]) <= 20
    assert all(row[1] != "failed" for row in await outcomes(scene.finance))


async def test_sec_cve_2025_32948_long_threads_have_a_budget(scene: Scene) -> None:
    ids = [f"{scene.good.origin}/notes/d{number}" for number in range(60)]
    for number, uri in enumerate(ids[:-1]):
        scene.good.note(scene.vic, f"deep {number}", id=uri, inReplyTo=ids[number + 1])
    await scene.company.settle()
    scene.good.fetched.clear()
    await scene.send("Create", scene.evil.note(scene.eva, "top", inReplyTo=ids[0]))
    assert len(scene.good.fetched) <= 25
    assert "top" in await scene.seen()


async def test_sec_cve_2025_32945_a_relation_holds_at_both_ends(scene: Scene) -> None:
    theirs = scene.good.note(scene.vic, "true")
    await scene.good.deliver(scene.finance, scene.good.activity("Create", scene.vic, theirs))
    await scene.company.settle()
    scene.good.documents[scene.vic]["featured"] = f"{scene.vic}/featured"
    await scene.send("Add", theirs["id"], target=f"{scene.vic}/featured")
    scene.evil.actor("eva", featured=f"{scene.eva}/featured")
    await scene.send("Update", {**scene.evil.documents[scene.eva], "updated": "2026-11-25T00:00:00Z"})
    await scene.send("Add", theirs["id"], target=f"{scene.eva}/featured")
    for name in ("vic@good.localhost", "eva@evil.localhost"):
        found = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find(name)}/statuses", pinned="true")
        assert found == [], name


async def test_sec_ghsa_gg8q_rcg7_p79g_every_property_has_a_limit(scene: Scene) -> None:
    fields = [{"type": "PropertyValue", "name": "n" * 5000, "value": "v" * 50_000}] * 200
    document = {
        **scene.evil.documents[scene.eva], "updated": "2026-11-25T00:00:00Z", "name": "n" * 100_000,
        "summary": "s" * 200_000, "attachment": fields[:9],
        "alsoKnownAs": [f"{scene.good.origin}/users/{number}" for number in range(1000)],
    }  # fmt: skip
    assert await scene.send("Update", document) == 202
    assert await scene.send("Update", {**document, "attachment": fields}) == 413
    tags = [{"type": "Hashtag", "name": f"#t{number}"} for number in range(1000)]
    pictures = [{"type": "Image", "mediaType": "image/png", "url": f"{scene.evil.origin}/{n}.png"} for n in range(100)]
    note = scene.evil.note(scene.eva, "many", tag=tags, attachment=pictures, summary="w" * 5000)
    await scene.send("Create", note)
    account = await scene.ann.get(f"/api/v1/accounts/{await scene.ann.find('eva@evil.localhost')}")
    (found,) = await scene.ann.home()
    assert len(account["display_name"]) <= 200
    assert len(account["note"]) <= 30_000
    assert len(account["fields"]) <= 50
    assert len(found["tags"]) <= 100
    assert len(found["media_attachments"]) <= 16
    assert len(found["spoiler_text"]) <= 500


async def test_sec_rule_mentions_a_post_names_fifty_at_most(scene: Scene) -> None:
    people = [await scene.finance.person(f"p{number}") for number in range(55)]
    tags = [{"type": "Mention", "href": one.account.uri, "name": "@x"} for one in people]
    now = format_time(scene.company.clock.now())
    await scene.send("Create", scene.evil.note(scene.eva, "all of you", tag=tags, published=now))
    told = [one for one in people if await one.notifications()]
    assert len(told) == 50


async def test_sec_rule_recursion_one_activity_costs_few_requests(scene: Scene) -> None:
    """Nobody who is only named is fetched, and what is fetched for one activity has a budget."""
    tags = [{"type": "Mention", "href": f"{scene.good.origin}/users/n{n}", "name": "@x"} for n in range(50)]
    scene.good.fetched.clear()
    await scene.send("Create", scene.evil.note(scene.eva, "hello", tag=tags))
    assert scene.good.fetched == []


async def test_sec_rule_collections_pages_are_bounded_and_of_one_origin(scene: Scene) -> None:
    """The list of followers of eva never ends, turns in a circle, and leads elsewhere."""
    url = f"{scene.eva}/followers_synchronization"
    page = {"@context": ACTIVITY, "type": "OrderedCollectionPage", "orderedItems": ["x"]}
    for first, following in (
        (f"{url}?page=1", lambda number: f"{url}?page={number + 1}"),
        (f"{url}?page=1", lambda _: f"{url}?page=1"),
        (f"{scene.good.origin}/list", lambda _: None),
    ):
        scene.evil.documents[url] = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": url, "type": "OrderedCollection", "first": first,
        }  # fmt: skip
        for number in range(1, 40):
            uri = f"{url}?page={number}"
            scene.evil.documents[uri] = {
                **page, "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "next": following(number),
            }  # fmt: skip
        scene.evil.fetched.clear()
        scene.good.fetched.clear()
        total = f"{scene.evil.serial:064x}"
        value = f'collectionId="{scene.eva}/followers", url="{url}", digest="{total}"'
        await scene.send("View", scene.eva, more={"Collection-Synchronization": value})
        scene.company.clock.shift_ms += 20_000
        await scene.company.settle()
        assert 1 <= len(scene.evil.fetched) <= 10
        assert scene.good.fetched == []


# -- what is shown to whom -------------------------------------------------------------------------------------------


async def test_sec_cve_2025_30741_a_follow_counts_when_it_was_accepted(scene: Scene) -> None:
    scene.good.actor("shy", manuallyApprovesFollowers=True)
    shy = f"{scene.good.origin}/users/shy"
    bob = await scene.finance.person("bob")
    await bob.follow("shy@good.localhost")
    col = await scene.finance.person("col")
    await col.follow("shy@good.localhost")
    await scene.company.settle()
    follow = next(item for item in scene.good.received if item["type"] == "Follow" and item["actor"] == col.account.uri)
    await scene.good.deliver(scene.finance, scene.good.activity("Accept", shy, follow))
    note = scene.good.note(shy, "for those I accepted", to=[shy + "/followers"], cc=[])
    await scene.good.deliver(scene.finance, scene.good.activity("Create", shy, note))
    await scene.company.settle()
    assert "for those I accepted" in await col.texts()
    assert await bob.texts() == []
    assert await bob.find_status(note["id"]) is None


async def test_sec_cve_2026_25808_an_outbox_shows_what_its_reader_may_see(scene: Scene) -> None:
    for visibility in ("public", "unlisted", "private", "direct"):
        await scene.ann.publish(f"words {visibility}", visibility=visibility, reach="public")
    await scene.company.settle()
    answer = await scene.evil.read(scene.finance, scene.ann.account.uri + "/outbox", signer=scene.eva)
    assert answer.status_code == 200
    shown = {word for word in ("public", "unlisted", "private", "direct") if f"words {word}" in answer.text}
    assert shown <= {"public", "unlisted"}
    assert "public" in shown


async def test_sec_ghsa_ccpr_m53r_mfwr_answers_for_one_are_kept_by_nobody(scene: Scene) -> None:
    for name in ("", "/outbox", "/featured", "/followers", "/followers_synchronization"):
        answer = await scene.evil.read(scene.finance, scene.ann.account.uri + name, signer=scene.eva)
        assert answer.status_code == 200
        assert "private" in answer.headers["cache-control"]
        assert "Signature" in answer.headers["vary"]


async def test_sec_ghsa_gwhw_gcjx_72v8_what_is_hidden_looks_like_what_is_not_there(scene: Scene) -> None:
    hidden = await scene.ann.publish("hidden", visibility="direct")
    for path in ("", "/replies", "/likes", "/shares"):
        one = await scene.evil.read(scene.finance, hidden["uri"] + path, signer=scene.eva)
        other = await scene.evil.read(scene.finance, f"{scene.finance.origin}/o/1{path}", signer=scene.eva)
        assert (one.status_code, one.content) == (other.status_code, other.content) == (404, other.content)


async def test_sec_ghsa_5h2f_wg8j_xqwp_who_is_suspended_does_not_come_back_by_boosts(scene: Scene) -> None:
    mo = await scene.finance.person("mo")
    vic = int(await scene.ann.find("vic@good.localhost"))

    def suspend(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"UPDATE users SET role = 'admin' WHERE account_id = {mo.account.id}")
        target = tx.conn.execute(sa.select(accounts_table.c.uri).where(accounts_table.c.id == vic)).scalar_one()
        account = accounts.find_by_uri(tx, target)
        assert account is not None
        moderation.act(tx, accounts.get(tx, mo.account.id), account, "suspend", "")

    await scene.finance.db.write(suspend)
    note = scene.good.note(scene.vic, "still here")
    await scene.send("Announce", note["id"])
    await scene.good.deliver(scene.finance, scene.good.activity("Create", scene.vic, note))
    await scene.company.settle()
    assert await scene.find(note["id"]) is None
    assert "still here" not in await scene.seen()


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", ["good.localhost.evil.localhost", "evilgood.localhost", "good.localhost:8080"])
async def test_sec_ghsa_rwcw_vq68_g34p_names_are_compared_whole(scene: Scene, domain: str) -> None:
    server = Outsider(scene.company, domain)
    await scene.finance.db.write(peers.add, domain, "partner")
    eve = server.actor("eve")
    note = {**server.note(eve, "borrowed"), "id": f"{scene.good.origin}/notes/5"}
    await server.deliver(scene.finance, server.activity("Create", eve, note))
    forged = server.activity("Create", scene.vic, scene.good.note(scene.vic, "borrowed"), id=f"{server.origin}/a/1")
    assert (await server.deliver(scene.finance, forged, signer=eve)).status_code in (400, 401)
    await scene.company.settle()
    assert "borrowed" not in await scene.seen()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://EXAMPLE.com/x", "https://example.com"),
        ("https://example.com./x", "https://example.com"),
        ("https://example.com:443/x", "https://example.com"),
        ("https://b\u00fccher.example/x", "https://xn--bcher-kva.example"),
        ("https://\uff45xample.com/x", "https://example.com"),
    ],
)
def test_sec_cve_2023_42451_a_name_has_one_spelling(written: str, meant: str) -> None:
    assert origin(written) == meant


async def test_sec_cve_2023_42451_another_spelling_is_no_way_in(scene: Scene) -> None:
    eva = scene.eva.replace("evil.localhost", "EVIL.localhost")
    before = len(scene.company.network.requests)
    stranger = Outsider(scene.company, "stranger.localhost.")
    x = stranger.actor("x")
    assert (await stranger.deliver(scene.finance, stranger.activity("Like", x, x))).status_code == 403
    assert len(scene.company.network.requests) == before
    assert await scene.send("Create", scene.evil.note(scene.eva, "shouting"), signer=eva) == 401


async def test_sec_mitra_a_signature_is_for_this_server_and_its_digest_covered(scene: Scene) -> None:
    document = scene.evil.activity("Create", scene.eva, scene.evil.note(scene.eva, "for another"))
    body = json.dumps(document).encode()
    for dialect in ("cavage", "9421-rsa"):
        headers = signatures.sign(
            "POST", "http://elsewhere.localhost/inbox", body, key_id=f"{scene.eva}#main-key",
            private=keys.load_private(scene.evil.pair.rsa_private), dialect=dialect,
            now=scene.company.clock.now(), headers=None,
        )  # fmt: skip
        transport = httpx.ASGITransport(app=scene.finance.instance.app)
        async with httpx.AsyncClient(transport=transport) as http:
            headers["Host"] = scene.finance.domain
            answer = await http.post(f"{scene.finance.origin}/inbox", content=body, headers=headers)
        assert answer.status_code == 401, dialect

    def uncovered(request: httpx.Request) -> httpx.Request:
        request.headers["signature"] = request.headers["signature"].replace(" digest", "")
        return request

    assert await scene.send("Create", scene.evil.note(scene.eva, "x"), alter=uncovered) == 401


# -- further rules ---------------------------------------------------------------------------------------------------


async def test_sec_rule_webfinger_a_handle_is_confirmed_by_its_own_server(scene: Scene) -> None:
    """eva calls herself vic@good.localhost; that server says that vic is somebody else."""
    scene.evil.actor("eva2", webfinger="vic@good.localhost", preferredUsername="vic")
    await scene.ann.get("/api/v2/search", q=f"{scene.evil.origin}/users/eva2", resolve="true")
    found = await scene.ann.get("/api/v1/accounts/lookup", acct="vic@good.localhost")
    assert found["uri"] == scene.vic


async def test_sec_rule_webfinger_an_update_takes_no_other_name_at_a_domain_that_is_not_its_own(scene: Scene) -> None:
    """eva's handle is at a domain that once confirmed it; it has not confirmed the name that she gives herself now."""

    def lent(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"UPDATE accounts SET domain = 'lent.example' WHERE uri = '{scene.eva}'")

    await scene.finance.db.write(lent)
    profile = {**scene.evil.documents[scene.eva], "preferredUsername": "director", "name": "Eva the Second"}
    assert await scene.send("Update", profile) == 202
    await scene.company.settle()

    def named(tx: Tx) -> list[str]:
        found = accounts.find_by_uri(tx, scene.eva)
        assert found is not None
        return [found.handle, found.display_name]

    assert await scene.finance.db.read(named) == ["eva@lent.example", "Eva the Second"]


async def test_sec_rule_replay_what_was_sent_once_counts_once(scene: Scene) -> None:
    document = scene.evil.activity("Create", scene.eva, scene.evil.note(scene.eva, "once"))
    caught: list[httpx.Request] = []

    def catch(request: httpx.Request) -> httpx.Request:
        caught.append(request)
        return request

    assert (await scene.evil.deliver(scene.finance, document, alter=catch)).status_code == 202
    (request,) = caught

    async def again(path: str) -> int:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=scene.finance.instance.app)) as http:
            url = scene.finance.origin + path
            return (await http.post(url, content=request.content, headers=headers)).status_code

    for _ in range(20):
        assert await again("/inbox") == 202
    await scene.company.settle()
    assert (await scene.seen()).count("once") == 1
    assert [row[0] for row in await outcomes(scene.finance)].count("Create") == 1
    personal = scene.ann.account.uri.removeprefix(scene.finance.origin) + "/inbox"
    assert await again(personal) == 401, "the signature covers the address"
    scene.company.clock.shift_ms += 2 * 3_600_000
    assert await again("/inbox") == 401


async def test_sec_rule_oracle_accepted_known_and_ignored_look_alike(scene: Scene) -> None:
    document = scene.evil.activity("Create", scene.eva, scene.evil.note(scene.eva, "x"))
    first = await scene.evil.deliver(scene.finance, document)
    await scene.company.settle()
    again = await scene.evil.deliver(scene.finance, document)
    odd = await scene.evil.deliver(scene.finance, scene.evil.activity("Unheard", scene.eva, scene.vic))
    assert {(one.status_code, one.content) for one in (first, again, odd)} == {(202, b"")}


async def test_sec_rule_private_keys_are_in_no_answer(scene: Scene) -> None:
    for path in ("/actor", "/nodeinfo/2.1", "/api/v2/instance", "/.well-known/nodeinfo"):
        answer = await scene.ann.http.get(path)
        assert "PRIVATE" not in answer.text
    answer = await scene.evil.read(scene.finance, scene.ann.account.uri, signer=scene.eva)
    assert "BEGIN PUBLIC KEY" in answer.text
    assert "PRIVATE" not in answer.text


async def test_sec_rule_private_keys_are_in_no_row(scene: Scene) -> None:
    """A copy of the database alone does not let anybody write in somebody's name."""
    found = await scene.finance.db.read(
        lambda tx: repr([tx.conn.execute(sa.select(table)).all() for table in metadata.sorted_tables])
    )
    assert scene.ann.account.uri in found
    assert "BEGIN PUBLIC KEY" in found
    assert "PRIVATE" not in found


async def test_sec_rule_html_what_is_allowed_stays(scene: Scene) -> None:
    kept = (
        "<p>a<br>b <em>c</em> <strong>d</strong> <code>e</code></p><blockquote><p>f</p></blockquote><ul><li>g</li></ul>"
        "<ol start=3 style=x><li value=4>i</li></ol><p><ruby onclick=x>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby> m"
        "<sup>2</sup><sub>j</sub> <abbr title=whole onmouseover=x>w</abbr></p>"
    )
    await scene.send("Create", {**scene.evil.note(scene.eva, ""), "content": kept + '<p class="evil mention">h</p>'})
    (found,) = await scene.ann.home()
    for tag in (
        "<br",
        "<em>",
        "<strong>",
        "<code>",
        "<blockquote>",
        "<ul>",
        "<li>",
        '<ol start="3">',
        '<li value="4">',
        "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
        "<sup>2</sup>",
        "<sub>",
        '<abbr title="whole">',
    ):
        assert tag in found["content"]
    for word in ("evil", "style", "onclick", "onmouseover"):
        assert word not in found["content"]


async def test_sec_rule_media_is_never_run(scene: Scene) -> None:
    for path in (f"/avatars/{scene.ann.id}.png", f"/headers/{scene.ann.id}.png"):
        answer = await scene.ann.http.get(path)
        assert answer.headers["content-type"] == "image/png"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_sec_cve_2023_36460_names_of_others_are_no_paths(scene: Scene) -> None:
    urls = [
        f"{scene.evil.origin}/{name}" for name in ("..%2f..%2fx.png", "a/../../../b.png", "%00.png", "x.png?a=/../../c")
    ]
    pictures = [{"type": "Image", "mediaType": "image/png", "url": url, "name": "../../x"} for url in urls]
    await scene.send("Create", scene.evil.note(scene.eva, "pictures", attachment=pictures))

    def stored(tx: Tx) -> list[str | None]:
        return list(tx.conn.execute(sa.select(media.c.key)).scalars())

    assert all(key is None or re.fullmatch(r"[a-z0-9]{16,64}", key) for key in await scene.finance.db.read(stored))
    folder = scene.finance.instance.config.media_folder
    written = [path for path in folder.parent.rglob("*") if path.suffix == ".png" and folder not in path.parents]
    assert written == []


def test_the_inbox_table_is_what_these_tests_look_at() -> None:
    assert {"outcome", "reason", "body"} <= set(inbox.c.keys())
