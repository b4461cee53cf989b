"""Who follows whom and who writes what and when in `fedcorp demo`, worked out before anything is stored.

The same size and the same date give the same plan: chance comes from a small generator with a fixed seed. Values only;
`demo_seed` carries the plan out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from fedcorp.clock import from_ms, to_ms
from fedcorp.commands.demo_content import POLLS, SLOTS, TO_NEWS, TO_POLLS, TO_QUESTIONS, TOPICS, PollText, Reply, Topic
from fedcorp.commands.demo_people import DEPARTMENTS, GROUPS, Department, Group, Person

T = TypeVar("T")

MINUTE, DAY = 60_000, 86_400_000
OLDEST_DAYS = 26
WARNING_PERCENT, GROUP_PERCENT, TAG_PERCENT, PICTURE_PERCENT = 20, 72, 55, 25
PICTURES = {
    "purchasing": ("line",), "budget": ("bars", "line"), "month_close": ("line",), "shifts": ("board",),
    "planning": ("board", "bars"), "maintenance": ("floor",), "quality": ("bars",), "warehouse": ("pallets",),
    "inbound": ("pallets",), "safety": ("floor",), "sustainability": ("line", "bars"), "cycling": ("landscape",),
    "lunch_walk": ("landscape",),
}  # fmt: skip
"""Which kinds of pictures (`demo_pictures`) suit a topic."""
_SENTENCE = re.compile(r"(\A|[.?!] )([a-z])")
_MASK = (1 << 64) - 1


class Dice:
    """A reproducible source of choices (the SplitMix64 generator). Not for secrets."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) % limit

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Up to `count` different items, in the order they were drawn."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the company is: people per department (0 = all), posts and reactions in all departments together."""

    people: int = 0
    roots: int = 600
    replies: int = 580
    answers: int = 320
    favourites: int = 1500
    reblogs: int = 130
    pictures: int = 40
    polls: int = len(POLLS)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, with the key of the department."""

    home: str
    person: Person


@dataclass(slots=True)
class Thread:
    """A subject that is being talked about: how it began, its words, and which replies were used up.

    `root` is the number of the topic's opening, None for a poll.
    """

    topic: Topic
    slots: dict[str, str]
    root: int | None = None
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Opening:
    """A post that starts a thread. `at` in ms; `picture` is the kind and number of a picture."""

    author: Member
    text: str
    thread: Thread
    at: int
    group: Group | None = None
    tags: str = ""
    warning: str = ""
    reach: str | None = None
    picture: tuple[str, int] | None = None
    poll: PollText | None = None


@dataclass(slots=True)
class Plan:
    """The whole company before it is made. `follows` and `members` name people by username, unique everywhere."""

    size: Size
    now: int
    departments: tuple[Department, ...]
    people: dict[str, Member]
    follows: list[tuple[str, str]]
    members: dict[str, list[str]]
    openings: list[Opening]
    dice: Dice


def make(size: Size, now: datetime) -> Plan:
    """The plan of a company of this size, as if it had been at work until `now`."""
    dice = Dice(2026)
    departments = tuple(_cut(item, size.people) for item in DEPARTMENTS)
    people = {person.username: Member(item.key, person) for item in departments for person in item.people}
    plan = Plan(size, to_ms(now), departments, people, [], {}, [], dice)
    plan.follows = _follows(plan)
    plan.members = {group.name: _members(plan, group) for group in GROUPS}
    plan.openings = sorted(_openings(plan), key=lambda item: item.at)
    return plan


def _cut(department: Department, most: int) -> Department:
    """A smaller department that still has the owners of its groups."""
    if not most:
        return department
    owners = {group.owner for group in GROUPS if group.home == department.key}
    first = sorted(department.people, key=lambda person: person.username not in owners)
    return Department(department.key, department.title, department.tier, tuple(first[: max(most, len(owners))]))


def _follows(plan: Plan) -> list[tuple[str, str]]:
    """Everybody follows some at home and some elsewhere; few follow across the boundary to the supplier."""
    found = []
    for name, member in plan.people.items():
        at_home = [other for other, item in plan.people.items() if item.home == member.home and other != name]
        away = [other for other, item in plan.people.items() if _is_colleague(member, item)]
        outside = [other for other, item in plan.people.items() if _is_partner(member, item)]
        chosen = plan.dice.sample(at_home, plan.dice.between(6, 11)) + plan.dice.sample(away, plan.dice.between(4, 6))
        chosen += plan.dice.sample(outside, 2 if member.home == "supplier" or plan.dice.chance(25) else 0)
        found += [(name, other) for other in chosen]
    return found


def _is_colleague(member: Member, other: Member) -> bool:
    return member.home != other.home and "supplier" not in (member.home, other.home)


def _is_partner(member: Member, other: Member) -> bool:
    return member.home != other.home and "supplier" in (member.home, other.home)


def _members(plan: Plan, group: Group) -> list[str]:
    """The owner, then people of every department that the group reaches."""
    chosen = [group.owner]
    for department in plan.departments:
        if department.key == "supplier" and group.reach == "company":
            continue
        names = [person.username for person in department.people if person.username != group.owner]
        share = 3 if department.key == group.home else 4 if group.preset == "open" else 5
        chosen += plan.dice.sample(names, max(2, len(names) // share))
    return chosen


# -- what is written -------------------------------------------------------------------------------------------------


def _openings(plan: Plan) -> list[Opening]:
    found: list[Opening] = []
    seen: set[str] = set()
    drawn = 0
    for number in range(plan.size.roots):
        at = office_moment(plan.dice, plan.now)
        if number < plan.size.polls:
            found.append(_question(plan, POLLS[number], max(at, plan.now - 20 * DAY)))
            continue
        topic, picture = TOPICS[(number * 11) % len(TOPICS)], None
        if topic.key in PICTURES and drawn < plan.size.pictures and plan.dice.chance(PICTURE_PERCENT):
            picture = (plan.dice.pick(PICTURES[topic.key]), drawn)
            drawn += 1
        found.append(_opening(plan, topic, at, picture, seen))
    return found


def _opening(plan: Plan, topic: Topic, at: int, picture: tuple[str, int] | None, seen: set[str]) -> Opening:
    thread, text = _fresh(plan, topic, at, seen)
    in_group = bool(topic.group) and plan.dice.chance(GROUP_PERCENT)
    author = _author(plan, topic.authors, topic.group if in_group else "")
    return Opening(
        author, text, thread, at,
        group=_group(topic.group) if in_group else None,
        tags=plan.dice.pick(topic.tags) if plan.dice.chance(TAG_PERCENT) else "",
        warning=topic.warning if topic.warning and plan.dice.chance(WARNING_PERCENT) else "",
        reach="partners" if author.home == "supplier" and plan.dice.chance(60) else None,
        picture=picture,
    )  # fmt: skip


def _question(plan: Plan, poll: PollText, at: int) -> Opening:
    thread = Thread(next(topic for topic in TOPICS if topic.group == poll.group), _words(plan.dice, at))
    group = _group(poll.group) if poll.group else None
    return Opening(_author(plan, poll.authors, poll.group), poll.question, thread, at, group=group, poll=poll)


def _group(name: str) -> Group:
    return next(group for group in GROUPS if group.name == name)


def _author(plan: Plan, homes: Sequence[str], group: str) -> Member:
    """Somebody of one of these departments; for a group one of its members, from wherever when there is none."""
    names = plan.members[group] if group else list(plan.people)
    home = plan.dice.pick(homes)
    return plan.people[plan.dice.pick([name for name in names if plan.people[name].home == home] or names)]


def _fresh(plan: Plan, topic: Topic, at: int, seen: set[str]) -> tuple[Thread, str]:
    """A thread whose opening nobody wrote yet, as far as the words last."""
    tries = 12
    while True:
        thread = Thread(topic, _words(plan.dice, at), plan.dice.below(len(topic.roots)))
        text = filled(topic.roots[thread.root or 0], thread.slots)
        tries -= 1
        if text not in seen or not tries:
            seen.add(text)
            return thread, text


def _words(dice: Dice, at: int) -> dict[str, str]:
    month = (from_ms(at).replace(day=1) - timedelta(days=1)).strftime("%B")
    return {name: dice.pick(words) for name, words in SLOTS.items()} | {"month": month}


def filled(text: str, slots: dict[str, str]) -> str:
    """A text with its slots filled and its sentences begun with capitals."""
    return _SENTENCE.sub(lambda match: match[1] + match[2].upper(), text.format_map(slots))


def reply(dice: Dice, thread: Thread) -> Reply | None:
    """A reply that the thread has not heard, rather one of its topic than a general one; None when all were said."""
    special = [] if thread.root is None else [item for item in thread.topic.replies if thread.root in item.roots]
    for bank in (special, _general(thread)):
        left = [item for item in bank if item.text not in thread.used]
        if left:
            chosen = dice.pick(left)
            thread.used.add(chosen.text)
            return chosen
    return None


def _general(thread: Thread) -> Sequence[Reply]:
    if thread.root is None:
        return TO_POLLS
    return TO_QUESTIONS if thread.topic.roots[thread.root].endswith("?") else TO_NEWS


# -- time ------------------------------------------------------------------------------------------------------------


def office_moment(dice: Dice, now: int) -> int:
    """A moment (ms) of the last four weeks when people are at work, some minutes ago at least."""
    while True:
        at = now - now % DAY - dice.below(OLDEST_DAYS + 1) * DAY + dice.between(6 * 60, 17 * 60) * MINUTE
        at += dice.below(MINUTE)
        if at < now - 20 * MINUTE and from_ms(at).weekday() < 5:
            return at


def later(dice: Dice, at: int, now: int) -> int:
    """A moment (ms) for an answer: minutes to hours after `at`, not in the night, and before `now`."""
    answer = at + dice.between(2, dice.pick((20, 90, 400))) * MINUTE + dice.below(MINUTE)
    hour = from_ms(answer).hour
    if hour >= 19 or hour < 5:
        answer += 12 * 60 * MINUTE
    return answer if answer < now - MINUTE else at + (now - at) * dice.between(1, 9) // 10
