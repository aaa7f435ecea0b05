"""The shipped models from their source: `source/*.yaml` -> `answers.json`.

    python -m safety_assets.reading.build

The same source gives the same weights, which a test holds. `measured.json` is written by the benchmark
(`python -m benchmarks.refusal_judge --write`), since the answers that it measures on are not part of the repository.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safety_assets.reading.answers import SHIPPED, VERDICTS
from safety_assets.reading.features import answer_features
from safety_assets.reading.fitting import fit, tempered
from safety_assets.reading.fold import fold
from safety_assets.reading.linear import Features, Linear
from safety_assets.reading.written import Written, answers

PENALTY = 3.0
FOLDS = 5


def main() -> None:
    """Write all models."""
    model = build_answers()
    model.save(SHIPPED)
    print(f"{SHIPPED.name}: {len(model.index)} features, {model.facts}")


def build_answers() -> Linear:
    """The model of answers, its temperature from styles of refusing, hedging and helping that a fit had not seen."""
    written = answers()
    seen = [answer_features(fold(one.text)) for one in written]
    model = _fit(seen, written)
    scores = _unseen_styles(seen, written)
    labels = [{one.verdict} for one in written]
    right = [VERDICTS[i] in label for i, label in zip(scores.argmax(axis=1), labels, strict=True)]
    facts = {
        "fitted_on": dict(Counter(one.verdict for one in written)),
        "right_on_styles_not_fitted_on": round(float(np.mean(right)), 4),
    }
    return replace(tempered(model, scores, labels), facts=facts)


def _unseen_styles(seen: Sequence[Features], written: Sequence[Written]) -> np.ndarray:
    """(answers, verdicts): scores by models that had seen no answer of its style."""
    fold = {style: i % FOLDS for i, style in enumerate(sorted({one.style for one in written}))}
    scores = np.zeros((len(written), len(VERDICTS)))
    for k in range(FOLDS):
        out = [i for i, one in enumerate(written) if fold[one.style] == k]
        rest = [i for i, one in enumerate(written) if fold[one.style] != k]
        scores[out] = _fit([seen[i] for i in rest], [written[i] for i in rest]).scores([seen[i] for i in out])
    return scores


def _fit(seen: Sequence[Features], written: Sequence[Written]) -> Linear:
    labels, domains = [{one.verdict} for one in written], [one.domain for one in written]
    return fit(seen, labels, groups=domains, classes=VERDICTS, penalty=PENALTY)


if __name__ == "__main__":
    main()
