"""The shipped models from their source: `source/*.yaml` -> `answers.json`, `requests.json`.

    python -m safety_assets.reading.build

The same source gives the same weights, which a test holds. `measured.json` is written by the benchmark
(`python -m benchmarks.refusal_judge --write`), since the answers that it measures on are not part of the repository.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safety_assets.reading import answers, requests, written
from safety_assets.reading.features import answer_features
from safety_assets.reading.fitting import Label, fit, tempered
from safety_assets.reading.fold import fold
from safety_assets.reading.labels import LABELS
from safety_assets.reading.linear import Features, Linear

PENALTY = 3.0
FOLDS = 5


def main() -> None:
    """Write both models."""
    for path, model in ((answers.SHIPPED, build_answers()), (requests.SHIPPED, build_requests())):
        model.save(path)
        print(f"{path.name}: {len(model.index)} features, {dict(model.facts)}")


def build_answers() -> Linear:
    """The model of answers; what it does on styles that it had not seen sets its temperature."""
    texts = written.answers()
    seen = answer_features([fold(one.text) for one in texts])
    labels, domains = [_label(one.verdict) for one in texts], [one.domain for one in texts]
    model = _built(seen, labels, domains, [one.style for one in texts], answers.VERDICTS, min_groups=3)
    return replace(model, facts={"text": written.digest(texts), **model.facts})


def build_requests() -> Linear:
    """The model of requests; what it does on phrases that it had not seen sets its temperature."""
    asked = written.requests()
    seen = [requests.request_features(one.text) for one in asked]
    labels, phrases = [frozenset({one.category}) for one in asked], [one.phrase for one in asked]
    model = _built(seen, labels, phrases, phrases, (*requests.CATEGORIES, requests.NONE), min_groups=2)
    return replace(model, facts={"text": written.digest(asked), **model.facts})


def _built(
    seen: Sequence[Features],
    labels: Sequence[Label],
    groups: Sequence[str],
    kinds: Sequence[str],
    classes: Sequence[str],
    min_groups: int,
) -> Linear:
    """A model of all texts, with its temperature and figures from fits that leave out whole kinds of text."""

    def fitted(rows: Sequence[int]) -> Linear:
        told = [labels[i] for i in rows]
        return fit(
            [seen[i] for i in rows], told, groups=[groups[i] for i in rows], classes=classes, min_groups=min_groups,
            penalty=PENALTY,
        )  # fmt: skip

    fold_of = {kind: i % FOLDS for i, kind in enumerate(sorted(set(kinds), key=_digest))}
    scores = np.zeros((len(seen), len(classes)))
    for k in range(FOLDS):
        out = [i for i, kind in enumerate(kinds) if fold_of[kind] == k]
        rest = [i for i, kind in enumerate(kinds) if fold_of[kind] != k]
        scores[out] = fitted(rest).scores([seen[i] for i in out])
    right = [classes[i] in label for i, label in zip(scores.argmax(axis=1), labels, strict=True)]
    facts = {
        "fitted_on": dict(Counter(" or ".join(sorted(label)) for label in labels)),
        "right_on_kinds_not_fitted_on": round(float(np.mean(right)), 4),
    }
    model = tempered(fitted(range(len(seen))), scores, labels)
    return replace(model, facts=facts)


def _label(verdict: str) -> Label:
    """A plain answer of the source is no hedged one; of a pair's refusal it is not said whether it is a full one."""
    return LABELS[verdict] if verdict == "refusal" else frozenset({verdict})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
