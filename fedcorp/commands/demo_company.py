"""The company of `fedcorp demo` on disk: one folder for each department, and a note that says that it is complete.

DIR/demo.json                 written last: ports, password
DIR/finance/config.toml ...   an instance as `fedcorp init` makes it, with its database, media and server.log
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from fedcorp import config as configuration
from fedcorp.clock import Clock
from fedcorp.commands import setup
from fedcorp.commands.demo_office import Office
from fedcorp.commands.demo_people import DEPARTMENTS, GROUPS
from fedcorp.commands.demo_plan import Dice, Plan, Size, make
from fedcorp.commands.demo_seed import Report, Seed
from fedcorp.commands.demo_servers import Server, start_all
from fedcorp.commands.opening import opened
from fedcorp.config import Config
from fedcorp.errors import ConfigError
from fedcorp.social import passwords

PASSWORD = "company-demo"
NOTE = "demo.json"


@dataclass(frozen=True, slots=True)
class Company:
    """Departments on neighbouring ports from `port` on; `configs` by key of the department."""

    folder: Path
    port: int
    configs: dict[str, Config]


def find(folder: Path) -> Company | None:
    """The complete company in `folder`; None when there is nothing. Raises ConfigError for anything in between."""
    note = folder / NOTE
    if note.is_file():
        port = int(orjson.loads(note.read_bytes())["port"])
        configs = {item.key: configuration.load(folder / item.key / "config.toml") for item in DEPARTMENTS}
        return Company(folder, port, configs)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder} holds a demo that was not finished, or something else; "
            "remove it, or choose another folder with --dir."
        )
    return None


def create(folder: Path, port: int) -> Company:
    """Make the empty instances. Not inside a running event loop."""
    configs = {}
    for number, department in enumerate(DEPARTMENTS):
        domain = f"{department.key}.localhost:{port + number}"
        configs[department.key] = setup.create(folder / department.key, domain=domain, name=department.title)
    return Company(folder, port, configs)


def finish(company: Company) -> None:
    """Note that the company is complete."""
    (company.folder / NOTE).write_bytes(orjson.dumps({"port": company.port, "password": PASSWORD}))


def servers_of(company: Company, clock: Clock) -> dict[str, Server]:
    """The servers of all departments, not started."""
    return {key: Server(config, clock) for key, config in company.configs.items()}


@contextlib.asynccontextmanager
async def offices_of(company: Company, plan: Plan) -> AsyncIterator[dict[str, Office]]:
    """All departments with their databases open, beside servers that may be running."""
    async with contextlib.AsyncExitStack() as stack:
        offices = {}
        for number, department in enumerate(plan.departments):
            config, clock = company.configs[department.key], Clock()
            db = await stack.enter_async_context(opened(config, clock))
            offices[department.key] = Office(department, config, db, clock, Dice(number))
        domains = {name: company.configs[member.home].domain for name, member in plan.people.items()}
        domains |= {group.name: company.configs[group.home].domain for group in GROUPS}
        for office in offices.values():
            office.domains = domains
        yield offices


async def fill(company: Company, servers: dict[str, Server], size: Size, clock: Clock, report: Report) -> Plan:
    """Make people and groups, start the servers, and let four weeks pass. The servers stay running."""
    plan = make(size, clock.now())
    async with offices_of(company, plan) as offices:
        report("People, groups and keys")
        password_hash = await clock.offload(passwords.hash_password, PASSWORD)
        await asyncio.gather(
            *(
                office.furnish([group for group in GROUPS if group.home == key], tiers_for(company, key), password_hash)
                for key, office in offices.items()
            )
        )
        report("Servers")
        await start_all(servers.values())
        await Seed(plan, offices, servers, clock, report).run()
    return plan


def tiers_for(company: Company, key: str) -> dict[str, str]:
    """Domain -> tier of everybody else, as the department `key` sees them: whoever is outside is a partner."""
    outside = {item.key for item in DEPARTMENTS if item.tier == "partner"}
    return {
        config.domain: "partner" if (other in outside) != (key in outside) else "department"
        for other, config in company.configs.items()
        if other != key
    }
