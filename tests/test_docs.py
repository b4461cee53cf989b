"""The documents say what the code does: keys, routes, findings, modules, links and commands are compared with it."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from fedcorp import config
from fedcorp.activitypub.handlers import HANDLERS
from fedcorp.commands import peers
from fedcorp.commands.line import app
from fedcorp.web.routes import ROUTES

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DOMAIN = "ops.example.com"  # of the example; the one key without a default

_CELL = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
_COMMAND = re.compile(r"(?:\.venv/bin/)?fedcorp ([a-z][^`\n#]*)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tables(text: str) -> Iterator[list[list[str]]]:
    """The rows of each table, without its heading."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in _CELL.split(row.strip().strip("|"))] for row in block.splitlines()]
        yield rows[2:]


def id_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- configuration ---------------------------------------------------------------------------------------------------


def keys_of(value: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in fields(value):
        inner = getattr(value, item.name)
        if is_dataclass(inner):
            found |= keys_of(inner, f"{prefix}{item.name}.")
        elif item.name != "folder":
            found[prefix + item.name] = list(inner) if isinstance(inner, tuple) else inner
    return found


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_example_has_every_key_and_its_default() -> None:
    assert flat(tomllib.loads(read("config.example.toml"))) == keys_of(config.Config(DOMAIN))


def test_configuration_document_has_every_key_and_its_default() -> None:
    found: dict[str, str] = {}
    for section in re.split(r"^## ", read("docs/configuration.md"), flags=re.MULTILINE)[1:]:
        name = re.match(r"`\[(\w+)\]`", section)
        prefix = f"{name[1]}." if name else ""
        found |= {prefix + row[0].strip("`"): row[1].strip("`") for rows in tables(section) for row in rows}
    assert found.pop("domain") == "none"
    wanted = {key: value for key, value in keys_of(config.Config(DOMAIN)).items() if key != "domain"}
    assert {key: tomllib.loads(f"x = {text}")["x"] for key, text in found.items()} == wanted


# -- switchboards ----------------------------------------------------------------------------------------------------


def test_api_document_lists_exactly_the_routes() -> None:
    listed = [
        (row[0], row[1].strip("`"), row[2]) for rows in tables(read("docs/api.md")) for row in rows if row[0].isupper()
    ]
    assert sorted(listed) == sorted((route.method, route.path, scope_of(route)) for route in ROUTES)


def scope_of(route: Any) -> str:
    """How the document writes who may call a route."""
    if route.scope is None:
        return "-"
    names = " or ".join(f"`{name}`" for name in route.scope.split()) or "any"
    also = (" (optional)" if route.anonymous else "") + (" (also apps)" if route.app else "")
    return names + also + (f", {route.role}" if route.role else "")


def test_federation_document_lists_exactly_the_handlers() -> None:
    section = read("FEDERATION.md").split("## Activities that are taken in\n")[1].split("\n## ")[0]
    listed = [(row[0].strip("`"), row[1].strip("`")) for row in next(tables(section))]
    assert sorted(listed) == sorted((kind, "any" if thing == "*" else thing) for kind, thing in HANDLERS)


def test_every_race_of_the_federation_document_has_its_tests_and_every_such_test_its_race() -> None:
    section = read("FEDERATION.md").split("### Order and repetition\n")[1].split("\n### ")[0]
    listed = [re.findall(r"`(\w+)`", row[2]) for row in next(tables(section))]
    assert all(listed)
    tests = re.findall(r"^async def test_(\w+)", read("tests/federation/test_races.py"), re.MULTILINE)
    assert sorted(name for names in listed for name in names) == sorted(tests)


# -- the tree --------------------------------------------------------------------------------------------------------


def modules() -> list[str]:
    """Every module as its room calls it: `web/api/accounts`."""
    folder = ROOT / "fedcorp"
    found = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.py"))
    return sorted(name for name in found if not name.endswith("__init__"))


def test_architecture_names_every_module_and_no_other() -> None:
    section = read("ARCHITECTURE.md").split("## Every module\n")[1].split("\n## ")[0]
    listed = []
    for rows in tables(section):
        for room, names, *_ in rows:
            folder = re.match(r"`([\w/]*?)/?`", room)
            assert folder is not None, room
            prefix = "" if folder[1] == "fedcorp" else folder[1] + "/"
            listed += [prefix + name for name in re.findall(r"`(\w+)`", names)]
    assert sorted(listed) == modules()


# -- commands --------------------------------------------------------------------------------------------------------


def findings() -> dict[str, set[str]]:
    """Every finding of the doctor with the levels it may have, as the code names them."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "fedcorp" / "commands").glob("doctor*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                name, level = node.args[0], node.args[1]
                assert isinstance(name, ast.Constant), ast.unparse(node)
                assert isinstance(name.value, str), ast.unparse(node)
                words = {part.id for part in ast.walk(level) if isinstance(part, ast.Name)} & {
                    "NOTE",
                    "WARNING",
                    "FAULT",
                }
                found.setdefault(name.value, set()).update(word.lower() for word in words)
    return found


def test_operating_document_lists_exactly_the_findings_of_the_doctor() -> None:
    section = read("docs/operating.md").split("## What the doctor says\n")[1].split("\n## ")[0]
    listed = {row[0].strip("`"): set(row[1].split(", ")) for row in next(tables(section))}
    assert listed == findings()


def test_operating_document_names_every_column_of_the_list_of_peers() -> None:
    section = read("docs/operating.md").split("## Peers and tiers\n")[1].split("\n## ")[0]
    listed = [name for row in next(tables(section)) for name in row[0].split(", ")]
    assert sorted(listed) == sorted(set(peers.HEADINGS) - {"Domain", "Tier"})


def test_make_targets_exist() -> None:
    defined = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        code = " ".join(_CODE.findall(read(name)))
        named = set(re.findall(r"\bmake ([a-z]+)", code))
        assert named, name
        assert named <= defined, name


# -- every document --------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of headings, as code hosts make them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text))
    return set(plain)


def test_readme_leads_to_every_document() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in _LINK.findall(_CODE.sub("", read("README.md")))}
    missing = [id_of(path) for path in DOCUMENTS if path not in linked and path.parent not in linked]
    assert missing == ["README.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=id_of)
def test_relative_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=id_of)
def test_commands_exist(path: Path) -> None:
    for code in _CODE.findall(path.read_text(encoding="utf-8")):
        joined = code.replace("\\\n", " ")
        for line in _COMMAND.findall(joined):
            check_command(shlex.split(line.strip("`"), comments=True))


def check_command(words: list[str]) -> None:
    """Walk down to the command and let it parse what follows. A command that is merely named is enough."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    if words and "--help" not in words:
        command.make_context(command.name, list(words))
