"""A bounded cache of what rendering made, which several threads share without a lock.

The key of an entry names everything that it was made from, so nothing has to be invalidated. Reads and writes of a dict
are atomic; two generations stand in for an order of use.
"""

from collections.abc import Hashable
from typing import Any

SIZE = 3_000  # of 1.4 KiB (beginnings) and 2.4 KiB (whole statuses): eleven MiB when both generations are full


class Rendered:
    """What was rendered, by key; keeps the last `size` to twice `size` that were used."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._young: dict[Hashable, Any] = {}
        self._old: dict[Hashable, Any] = {}

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`, or None."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: Hashable, value: Any) -> None:
        """Keep `value`, which is not None."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
