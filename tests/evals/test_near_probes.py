"""Near-duplicates among probes: all of them and no other."""

import random

from safety_assets.evals.near_probes import NEAR, _jaccard, _shingles, near_pairs


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]


def test_every_pair_that_a_full_comparison_finds_is_found() -> None:
    rng = random.Random(3)
    words = [f"w{i}" for i in range(60)]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 90))) for _ in range(40)]
    for text in texts[:30]:
        changed = text.split()
        changed[rng.randrange(len(changed))] = "other"
        texts.append(" ".join(changed))
    chats = [chat(text) for text in texts]
    sets = [_shingles(c) for c in chats]
    known = [(i, j) for i in range(len(sets)) for j in range(i + 1, len(sets)) if _jaccard(sets[i], sets[j]) >= NEAR]
    assert known
    assert near_pairs(chats) == known


def test_equal_and_empty_chats() -> None:
    assert near_pairs([chat("a b c d"), chat("e f g"), chat("A b, c d")]) == []
    assert near_pairs([chat("a b c d"), chat("A b c d"), chat("")]) == [(0, 1)]
    assert near_pairs([]) == []
