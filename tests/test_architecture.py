"""The law of the house, held by reading the source: who may import whom, and which names stay behind which seam.

The contracts of imports are in pyproject.toml. The rest is here, in tables that show every exception.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import grimp
import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]

# A seam: the names behind it (a module stands for all it holds) and the only modules that may use them.
SEAMS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "time": (
        frozenset({"time", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"})
        | frozenset({"datetime.date.today"}),
        ("fedcorp/clock.py",),
    ),
    "randomness": (
        frozenset({"random", "secrets", "uuid", "os.urandom", "os.getrandom"}),
        ("fedcorp/clock.py",),
    ),
    "sockets": (
        frozenset({"socket", "http.client", "urllib.request", "smtplib", "ftplib"})
        | frozenset({"asyncio.open_connection", "asyncio.start_server"}),
        ("fedcorp/net*",),
    ),
    "serving": (
        frozenset({"uvicorn"}),
        ("fedcorp/commands/*",),
    ),
    "threads": (
        frozenset({"threading", "concurrent", "multiprocessing", "asyncio.to_thread"})
        | frozenset({"anyio.to_thread", "starlette.concurrency"}),
        ("fedcorp/storage/database.py", "fedcorp/clock.py"),
    ),
    "processes": (
        frozenset({"subprocess", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"})
        | frozenset({"os.fork", "os.posix_spawn", "os.system", "os.popen", "os.execv", "os.execve"}),
        (
            "fedcorp/activitypub/compaction.py",
            "fedcorp/commands/companion.py",
            "fedcorp/commands/demo_servers.py",
            "fedcorp/commands/processes.py",
            "fedcorp/social/films.py",
        ),
    ),
    "tasks": (
        frozenset({"asyncio.sleep", "asyncio.create_task", "asyncio.ensure_future", "anyio.sleep"}),
        ("fedcorp/clock.py",),
    ),
    # Deadlines of a connection belong to its socket; whoever replaces the one replaces the other.
    "timers": (
        frozenset(),
        ("fedcorp/clock.py", "fedcorp/net*", "fedcorp/commands/connections.py"),
    ),
}

# The same seams reached through an event loop, a task group or a thread pool: methods, whatever the object is called.
METHODS: dict[str, str] = {
    "run_in_executor": "threads",
    "call_later": "timers",
    "call_at": "timers",
    "create_task": "tasks",
    "create_connection": "sockets",
    "getaddrinfo": "sockets",
}

# Rooms that take values and give values: not even by way of another module do they reach one of these packages.
PURE = frozenset({"activitypub.vocabulary", "activitypub.documents", "activitypub.signatures", "activitypub.proofs"})
PURE |= {"activitypub.jsonld", "social.policy", "social.text", "canonical", "keys", "webpush", "urls"}
OUTSIDE = frozenset({"httpx", "httptools", "sqlalchemy", "starlette", "uvicorn"})

# Imports that wait inside a function until they are needed (docs/decisions/0021): module and what it imports there.
LATE = frozenset(
    {
        ("fedcorp/__main__.py", "fedcorp.commands.line"),
        ("fedcorp/storage/schema.py", "fedcorp.storage.migrations"),
    }
)

STATUS_MODULE = "fedcorp/web/problems.py"
STATUS_NAMES = ("http.HTTPStatus", "starlette.status")
STATUS_WORDS = frozenset({"status", "status_code"})
# Elsewhere in web, 400 to 599 may only be the value of a constant whose name says that it measures something.
MEASURE = re.compile(r"(MAX|MIN|DEFAULT)_\w+|\w+_(LIMIT|LENGTH|BYTES|PIXELS|SECONDS|MS)")

VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "data", "info", "misc"})


def sources() -> list[Path]:
    return sorted((ROOT / "fedcorp").rglob("*.py"))


def complaints(path: str, source: str) -> list[str]:
    """Everything that the module at `path` (relative to the root, with slashes) does against the law."""
    tree = ast.parse(source)
    found = [*vague_names(path), *missing_docstring(tree), *late_imports(path, tree), *seams_crossed(path, tree)]
    if fnmatch(path, "fedcorp/web/*") and path != STATUS_MODULE:
        found += status_numbers(tree)
    return [f"{path}:{complaint}" for complaint in dict.fromkeys(found)]


def vague_names(path: str) -> Iterator[str]:
    for part in Path(path).with_suffix("").parts:
        if part in VAGUE_NAMES:
            yield f"1 a module named {part!r} says nothing about what it holds"


def missing_docstring(tree: ast.Module) -> Iterator[str]:
    if not ast.get_docstring(tree):
        yield "1 no docstring that says what this module does and never does"


def late_imports(path: str, tree: ast.Module) -> Iterator[str]:
    names = imported_names(tree)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom) and not is_late(path, node):
                    yield f"{node.lineno} import inside a function"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and full_name(node.func, names) in {"importlib.import_module", "__import__"}:
            yield f"{node.lineno} import by a call"


def is_late(path: str, node: ast.Import | ast.ImportFrom) -> bool:
    """Whether the law lets this module import all of this inside a function."""
    start = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return all((path, start + item.name) in LATE for item in node.names)


def seams_crossed(path: str, tree: ast.Module) -> Iterator[str]:
    names = imported_names(tree)
    for node in ast.walk(tree):
        for used in names_used(node, names):
            for seam, (forbidden, allowed) in SEAMS.items():
                if any(used == name or used.startswith(name + ".") for name in forbidden) and not is_in(path, allowed):
                    yield f"{line(node)} {used} is behind the seam {seam!r}: {', '.join(allowed)}"
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            seam = METHODS[node.attr]
            if not is_in(path, SEAMS[seam][1]):
                yield f"{node.lineno} .{node.attr} is behind the seam {seam!r}: {', '.join(SEAMS[seam][1])}"


def status_numbers(tree: ast.Module) -> Iterator[str]:
    names = imported_names(tree)
    measures = set(measuring_nodes(tree))
    for node in ast.walk(tree):
        number = integer(node)
        if number is not None and 400 <= number <= 599 and node not in measures:
            yield f"{line(node)} {number} looks like an HTTP status: name it in problems"
        if isinstance(node, ast.keyword) and node.arg in STATUS_WORDS and integer(node.value) is not None:
            yield f"{node.value.lineno} {node.arg}= takes a name of problems, not a number"
        if isinstance(node, ast.Compare) and compares_status(node):
            yield f"{node.lineno} a status is compared with a name of problems, not with a number"
        for used in names_used(node, names):
            if used.startswith(STATUS_NAMES):
                yield f"{line(node)} {used} gives statuses a second home beside problems"


def compares_status(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    status = any(isinstance(side, ast.Attribute) and side.attr in STATUS_WORDS for side in sides)
    return status and any(integer(side) is not None for side in sides)


def measuring_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and MEASURE.fullmatch(target.id):
            yield from ast.walk(node)


def integer(node: ast.AST) -> int | None:
    # `type`, because True is an instance of int.
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each imported word of this module stands for: `from datetime import date as d` gives d -> datetime.date."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def names_used(node: ast.AST, names: dict[str, str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    name = full_name(node, names) if isinstance(node, ast.Attribute) else None
    return [name] if name else []


def full_name(node: ast.AST, names: dict[str, str]) -> str | None:
    """The dotted name that an expression like `dt.now` stands for, or None when it starts from no import."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "__import__" if node.id == "__import__" else None)
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else None
    return None


def is_in(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)


def test_imports_keep_the_contracts() -> None:
    # A process of its own: the linter switches off every logger that exists, which later tests would miss.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(
        [*command, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pure_rooms_reach_nothing_outside() -> None:
    graph = grimp.build_graph("fedcorp", include_external_packages=True, cache_dir=None)
    rooms = {f"fedcorp.{name}" for name in PURE} & graph.modules
    chains = [graph.find_shortest_chain(room, package) for room in rooms for package in OUTSIDE & graph.modules]
    assert [chain for chain in chains if chain] == []


def test_pyld_is_in_a_process_of_its_own() -> None:
    graph = grimp.build_graph("fedcorp", include_external_packages=True, cache_dir=None)
    processor = "fedcorp.activitypub.processor"
    assert graph.find_modules_that_directly_import("pyld") == {processor}
    assert graph.find_modules_that_directly_import(processor) == set()


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_keeps_the_law(path: Path) -> None:
    found = complaints(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


GOOD = '"""Doc."""\n'


@pytest.mark.parametrize(
    ("path", "source", "word"),
    [
        ("fedcorp/utils.py", GOOD, "utils"),
        ("fedcorp/common/words.py", GOOD, "common"),
        ("fedcorp/urls.py", "import re\n", "docstring"),
        ("fedcorp/urls.py", GOOD + "def f():\n    import json\n", "inside a function"),
        ("fedcorp/__main__.py", GOOD + "def f():\n    from fedcorp.commands import line, demo\n", "inside a function"),
        ("fedcorp/urls.py", GOOD + "import importlib\nx = importlib.import_module('json')\n", "by a call"),
        ("fedcorp/urls.py", GOOD + "x = __import__('json')\n", "by a call"),
        ("fedcorp/urls.py", GOOD + "import time\n", "'time'"),
        ("fedcorp/urls.py", GOOD + "from time import monotonic as m\n", "'time'"),
        ("fedcorp/urls.py", GOOD + "from datetime import datetime as d\nx = d.now()\n", "'time'"),
        ("fedcorp/urls.py", GOOD + "import datetime\nx = datetime.datetime.utcnow()\n", "'time'"),
        ("fedcorp/ids.py", GOOD + "import os\nx = os.urandom(8)\n", "'randomness'"),
        ("fedcorp/keys.py", GOOD + "from secrets import token_bytes\n", "'randomness'"),
        ("fedcorp/web/auth.py", GOOD + "import socket\n", "'sockets'"),
        ("fedcorp/web/auth.py", GOOD + "def f(loop):\n    loop.getaddrinfo(1)\n", "'sockets'"),
        ("fedcorp/app.py", GOOD + "import uvicorn\n", "'serving'"),
        ("fedcorp/storage/media.py", GOOD + "from concurrent.futures import ThreadPoolExecutor\n", "'threads'"),
        ("fedcorp/storage/media.py", GOOD + "import asyncio as a\nx = a.to_thread(f)\n", "'threads'"),
        ("fedcorp/social/images.py", GOOD + "import subprocess\n", "'processes'"),
        ("fedcorp/worker.py", GOOD + "from asyncio import sleep\n", "'tasks'"),
        ("fedcorp/worker.py", GOOD + "async def f(group):\n    group.create_task(g())\n", "'tasks'"),
        ("fedcorp/web/auth.py", GOOD + "x = 401\n", "looks like"),
        ("fedcorp/web/auth.py", GOOD + "x = f(status_code=202)\n", "status_code="),
        ("fedcorp/web/auth.py", GOOD + "x = response.status_code == 200\n", "compared"),
        ("fedcorp/web/auth.py", GOOD + "from http import HTTPStatus\n", "second home"),
        ("fedcorp/web/auth.py", GOOD + "from starlette.status import HTTP_200_OK\n", "second home"),
    ],
)
def test_breach_is_found(path: str, source: str, word: str) -> None:
    found = complaints(path, source)
    assert found
    assert all(word in complaint for complaint in found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("fedcorp/urls.py", GOOD + "from datetime import UTC, datetime\nx = datetime.fromtimestamp(0, UTC)\n"),
        ("fedcorp/clock.py", GOOD + "import asyncio, secrets, time\nx = asyncio.sleep\n"),
        ("fedcorp/net.py", GOOD + "import socket\n"),
        ("fedcorp/commands/serving.py", GOOD + "import uvicorn\n"),
        ("fedcorp/worker.py", GOOD + "def f(clock):\n    return clock.sleep(1), clock.now()\n"),
        ("fedcorp/web/api/media.py", GOOD + "MAX_WIDTH = 400\nTHUMB_PIXELS: int = 480\n"),
        ("fedcorp/web/problems.py", GOOD + "NOT_FOUND = 404\n"),
        ("fedcorp/activitypub/delivery.py", GOOD + "GONE = 410\n"),
    ],
)
def test_lawful_code_is_left_alone(path: str, source: str) -> None:
    assert complaints(path, source) == []
