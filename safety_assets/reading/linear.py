"""A linear model over listed features: kept as JSON, read with numpy alone; `fitting` makes one.

A feature is a string. A text has signs (what rules saw, each worth SIGN) and words (words and pairs of words, which
share a fixed total of SHARE between those that the model knows, so that a long text does not shout). Every weight can
be read in the file, and `reasons` says which features decided. Many texts are scored by the hashes of their words
(`scores_of`), with the result that spelling them out gives (`scores`).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from safety_assets.hashes import HashSet
from safety_assets.reading.hashed import Listed, of_names

SIGN = 2.0
"""What a sign is worth: a penalty on weights bears less on signs than on any one word."""
SHARE = 5.0
"""What the known words of a text are worth together: each of n counts SHARE / sqrt(n)."""


@dataclass(frozen=True)
class Features:
    """What is seen of one text.

    Args:
        signs: names of the rules that saw something.
        words: words, pairs of words and words by place.
    """

    signs: Sequence[str]
    words: Collection[str]


@dataclass(frozen=True, eq=False)
class Linear:
    """Softmax of a weighted sum of features.

    Args:
        classes: names of the classes, in the order of the columns of weights.
        index: feature to row of weights.
        weights: (features, classes).
        bias: (classes,).
        temperature: what scores are divided by before the softmax; above 1 where the fit is too sure of itself.
        facts: what is known of the model: on what it was fitted, how it measured.
    """

    classes: tuple[str, ...]
    index: Mapping[str, int]
    weights: np.ndarray
    bias: np.ndarray
    temperature: float = 1.0
    facts: Mapping[str, object] = field(default_factory=dict)

    def shares(self, scores: np.ndarray) -> np.ndarray:
        """(texts, classes): probability of each class, from weighted sums."""
        warm = scores / self.temperature
        powers = np.exp(warm - warm.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def scores_of(self, words: Listed, signs: Sequence[Sequence[str]]) -> np.ndarray:
        """(texts, classes): weighted sums.

        Args:
            words: hashes of the words of the texts, of pairs and of words by place.
            signs: names of what the rules saw, of each text.
        """
        hit, places = self._known.hits(words.values)
        cells = np.sort(words.owners[hit] * len(self.index) + self._rows[places])
        cells = cells[np.diff(cells, prepend=-1) != 0]  # a word counts once a text
        owners, rows = np.divmod(cells, max(len(self.index), 1))
        worth = (SHARE / np.sqrt(np.maximum(np.bincount(owners, minlength=len(signs)), 1)))[owners]
        named = [(text, self.index[sign]) for text, own in enumerate(signs) for sign in own if sign in self.index]
        texts, signed = np.array(named, np.int64).reshape(-1, 2).T
        owners, worth = np.concatenate([owners, texts]), np.concatenate([worth, np.full(len(texts), SIGN)])
        parts = self.weights[np.concatenate([rows, signed])] * worth[:, None]
        sums = [np.bincount(owners, weights=column, minlength=len(signs)) for column in parts.T]
        return np.stack(sums, axis=1) + self.bias

    @cached_property
    def _known(self) -> HashSet:
        return HashSet(of_names(list(self.index)))

    @cached_property
    def _rows(self) -> np.ndarray:
        """Row of weights of each hash that is known."""
        hashes = of_names(list(self.index))
        return np.array(list(self.index.values()), np.int64)[np.argsort(hashes)]

    def scores(self, seen: Sequence[Features]) -> np.ndarray:
        """(texts, classes): weighted sums."""
        rows, columns, values = cells(seen, self.index)
        out = np.tile(self.bias, (len(seen), 1))
        if len(columns):
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            out[rows[starts]] += np.add.reduceat(self.weights[columns] * values[:, None], starts)
        return out

    def reasons(self, seen: Features, name: str, most: int = 3) -> list[str]:
        """The features that speak most for a class against the mean of the others, strongest first."""
        _, columns, values = cells([seen], self.index)
        column = self.classes.index(name)
        against = np.delete(self.weights[columns], column, axis=1).mean(axis=1)
        pull = (self.weights[columns, column] - against) * values
        return [self._names[int(columns[i])] for i in np.argsort(-pull)[:most] if pull[i] > 0]

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self.index, key=self.index.__getitem__)

    def save(self, path: Path) -> None:
        """Write the model as JSON, weights rounded to three decimals."""
        path.write_text(json.dumps(self.document(), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    def document(self) -> dict[str, object]:
        """The model as a JSON value; a feature's weights stand in the order of the classes."""
        rows = {f: [round(float(w), 3) for w in self.weights[i]] for f, i in sorted(self.index.items())}
        bias = [round(float(b), 3) for b in self.bias]
        return {
            "classes": list(self.classes), "temperature": round(self.temperature, 3), "facts": dict(self.facts),
            "bias": bias, "features": {f: " ".join(map(str, row)) for f, row in rows.items()},
        }  # fmt: skip


def load(path: Path) -> Linear:
    """The model of a JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such model; KeyError where a part is missing.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    features = said["features"]
    weights = np.array([[float(w) for w in row.split()] for row in features.values()]).reshape(len(features), -1)
    classes, bias = tuple(said["classes"]), np.array(said["bias"], float)
    if bias.shape != (len(classes),) or (len(features) and weights.shape[1] != len(classes)):
        raise ValueError(f"weights are {weights.shape}, bias is {bias.shape}, classes are {len(classes)}")
    return Linear(classes, {f: i for i, f in enumerate(features)}, weights, bias, said["temperature"], said["facts"])


def cells(seen: Sequence[Features], index: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and value of every known feature of the texts, rows ascending."""
    columns: list[int | None] = []
    counts = []
    for text in seen:
        signs = [index[s] for s in text.signs if s in index]
        words = set(map(index.get, text.words)) - {None}
        columns += signs
        columns += words
        counts.append((len(signs), len(words)))
    numbers = np.array(counts, np.int64).reshape(-1, 2)
    worth = np.stack([np.full(len(numbers), SIGN), SHARE / np.sqrt(np.maximum(numbers[:, 1], 1))], axis=1)
    rows = np.repeat(np.arange(len(numbers)), numbers.sum(axis=1))
    return rows, np.array(columns, np.int64), np.repeat(worth.ravel(), numbers.ravel())
