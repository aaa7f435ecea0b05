"""The frequent ones among very many: counters of which the rare are let go (Misra and Gries 1982).

Summaries of batches are merged as Agarwal et al. (2012) do: what exceeds the room is cut by the count of the first one
left out. Without more different ones than there is room, counts are exact.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Frequent(Generic[Key]):
    """Counts of what is counted often; a count is too small by at most `seen / room`, never too large.

    Args:
        room: how many different ones are kept, at least 1.
    """

    def __init__(self, room: int = 4096) -> None:
        self._room = room
        self._counts: Counter[Key] = Counter()
        self.seen = 0

    def add(self, counts: Mapping[Key, int]) -> None:
        """Count each key so many more times."""
        self._counts.update(counts)
        self.seen += sum(counts.values())
        if len(self._counts) > self._room:
            cut = self._counts.most_common(self._room + 1)[-1][1]
            self._counts = Counter({key: count - cut for key, count in self._counts.items() if count > cut})

    def at_least(self, count: float) -> dict[Key, int]:
        """Keys counted at least so often, and their counts."""
        return {key: found for key, found in self._counts.items() if found >= count}

    @property
    def counts(self) -> Mapping[Key, int]:
        """All that are kept."""
        return self._counts
