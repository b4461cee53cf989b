"""What the doctor finds: the words for it."""

from dataclasses import dataclass

NOTE, WARNING, FAULT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: a name for scripts, WARNING or FAULT, what was seen, what to do. NOTE: worth knowing.

    `stops`: nothing further can be examined before this is cured.
    """

    name: str
    level: int
    text: str
    cure: str
    stops: bool = False
