"""What the doctor finds: the words for it."""

from dataclasses import dataclass

WARNING, FAULT = 1, 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: a name for scripts, WARNING or FAULT, what was seen, what to do.

    `stops`: nothing further can be examined before this is cured.
    """

    name: str
    level: int
    text: str
    cure: str
    stops: bool = False
