"""How many pairs each kind and category gives when not all are injected."""

import heapq
from collections.abc import Mapping
from typing import TypeVar

Name = TypeVar("Name", str, tuple[str, str])
Stratum = tuple[str, str]
"""Kind and category."""


def quotas(
    sizes: Mapping[Stratum, int], most: int, *, weights: Mapping[str, float], least: Mapping[str, int]
) -> dict[Stratum, int]:
    """Number of pairs to take from each stratum; together `most`, or all where there are no more.

    Kinds keep the proportions in which they are there; within a kind, categories share by weight.

    Args:
        sizes: pairs that there are.
        most: pairs to take, at least 0.
        weights: share of a category relative to others, above 0; 1 where it is not named.
        least: refusals that a category keeps before anything is dealt, as far as there are so many.
    """
    kinds = sorted({kind for kind, _ in sizes})
    own = {kind: {name: size for name, size in sizes.items() if name[0] == kind} for kind in kinds}
    kept = {name: min(size, least.get(name[1], 0)) for name, size in own.get("refusal", {}).items()}
    whole = {kind: sum(strata.values()) for kind, strata in own.items()}
    shares = deal(most, whole, {kind: float(size) for kind, size in whole.items()}, {"refusal": sum(kept.values())})
    found: dict[Stratum, int] = {}
    for kind, strata in own.items():
        weighed = {name: weights.get(name[1], 1.0) for name in strata}
        found |= deal(shares[kind], strata, weighed, kept if kind == "refusal" else {})
    return found


def deal(
    total: int, sizes: Mapping[Name, int], weights: Mapping[Name, float], least: Mapping[Name, int]
) -> dict[Name, int]:
    """Seats by weight, one after another (Webster's method: Balinski and Young, Fair Representation, 1982).

    Nobody gets more than there are; one more seat takes none away from anybody; equal claims go by name.

    Args:
        total: seats; where the sizes sum to less, all are taken.
        sizes: the most that each can get.
        weights: above 0.
        least: seats that are given first, in the order of the names.
    """
    seats = dict.fromkeys(sizes, 0)
    for name in sorted(sizes):
        seats[name] = min(least.get(name, 0), sizes[name], total - sum(seats.values()))
    claims = [((seats[name] + 0.5) / weights[name], name) for name in sizes]
    heapq.heapify(claims)
    left = min(total, sum(sizes.values())) - sum(seats.values())
    while left:
        _, name = heapq.heappop(claims)
        if seats[name] < sizes[name]:
            seats[name] += 1
            left -= 1
            heapq.heappush(claims, ((seats[name] + 0.5) / weights[name], name))
    return seats
