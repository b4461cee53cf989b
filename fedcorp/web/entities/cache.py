"""A bounded cache of rendered bytes that several threads share without a lock.

Entries are never changed: their key names everything that they were made from, so nothing has to be invalidated. Reads
and writes of a dict are atomic; two generations stand in for an order of use.
"""

from collections.abc import Hashable

SIZE = 4_000  # of about 1.4 KiB: eleven MiB when both generations are full


class Rendered:
    """Rendered bytes by key; keeps the last `size` to twice `size` that were used."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._young: dict[Hashable, bytes] = {}
        self._old: dict[Hashable, bytes] = {}

    def get(self, key: Hashable) -> bytes | None:
        """The bytes of `key`, if they are still kept."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: Hashable, value: bytes) -> None:
        """Keep the bytes of `key`."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
