"""The demo company: its plan is the same each time, its texts are filled, and the whole of it holds."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from fedcorp.clock import to_ms
from fedcorp.commands.demo_plan import DAY, Dice, Plan, Size, later, make, office_moment

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make(Size(), NOON)


def test_same_date_gives_same_plan(plan: Plan) -> None:
    again = make(Size(), NOON)
    assert again.follows == plan.follows
    assert again.members == plan.members
    assert [item.text for item in again.openings] == [item.text for item in plan.openings]


def test_every_slot_is_filled(plan: Plan) -> None:
    assert not [item.text for item in plan.openings if "{" in item.text or item.text[0].islower()]


def test_posts_lie_in_the_last_four_weeks(plan: Plan) -> None:
    now = to_ms(NOON)
    assert all(now - 27 * DAY < item.at < now for item in plan.openings)
    dice = Dice(1)
    assert all(now - 27 * DAY < office_moment(dice, now) < now for _ in range(500))
    assert all(item.at < later(dice, item.at, now) < now for item in plan.openings)


def test_only_members_open_threads_in_groups(plan: Plan) -> None:
    assert all(item.author.person.username in plan.members[item.group.name] for item in plan.openings if item.group)


def test_company_groups_have_no_partner_in_them(plan: Plan) -> None:
    outside = [name for name, member in plan.people.items() if member.home == "supplier"]
    assert [name for name, members in plan.members.items() if set(members) & set(outside)] == ["inbound"]


@pytest.mark.slow
@pytest.mark.once
def test_the_story_holds() -> None:
    command = [sys.executable, "-m", "fedcorp", "demo", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
