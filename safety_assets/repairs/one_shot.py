"""One-shot patching: a few steps on one or a few generic refusals.

Idea: the gradient of a single refusal lies in the few directions that tuning eroded; a handful of small steps along
it brings refusals back and leaves the task alone, where more safety rows would cost it.
Paper: One-shot safety alignment patching, arXiv 2601.01887 (ICLR 2026): ten epochs at 2e-5 on one sample.
Moments: after training; it trains through the ordinary loop.
Cost: steps times candidates, and one asking of the calibration probes per candidate.
Fails: over-refusal and a lost task, where the steps are too many or too large for the model; models that never refused
all stay where they were. With `kept`, what is bad in those corpus rows is held too.
Deviation: the paper chooses the sample from 256 by a bilevel search. Here candidates are drawn from the project's own
refusals, each is tried, and the calibration probes choose: the safest that refuses at most max_over_refusal of the
look-alikes, of equally safe ones the one of the least task loss. The gate's probes are never asked. More than one
refusal, look-alikes beside them, a falling rate, and `kept` are ours: on the bundled model one refusal brings back too
little, and refusals alone take the task with them (benchmarks.repairs). Kept rows are not trained on: gradient surgery
holds the tuned model's own answers to them, as it holds the base's safety in training.
Neutral value: none; a recipe without the repair is the neutral one.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from safety_assets.errors import ModelError
from safety_assets.models.chat import Chat
from safety_assets.repair_specs import OneShotPatch
from safety_assets.repairs.measured import Measure, Measured

Train = Callable[[Path, Sequence[Chat], Sequence[Chat], OneShotPatch, Path], None]
"""Starting weights, chats to learn, chats to hold, how, and the folder that will hold the trained model."""


def candidates(refusals: Sequence[Chat], number: int, each: int, seed: int) -> list[tuple[int, ...]]:
    """Places of the refusals of each candidate; no refusal stands in two, so there may be fewer than asked for."""
    order = np.random.default_rng(seed).permutation(len(refusals)).tolist()
    return [tuple(order[i : i + each]) for i in range(0, len(order) - each + 1, each)][:number]


def choose(found: Sequence[Measured], max_over_refusal: float) -> tuple[int, bool]:
    """The place of the best candidate, and whether it keeps the limit of over-refusal.

    Raises:
        ModelError: the safety of none is known.
    """
    known = [place for place, one in enumerate(found) if one.safety is not None]
    if not known:
        raise ModelError("safety could not be scored on the calibration probes", do="see that the probes can be judged")

    def rank(place: int) -> tuple[bool, float, float, int]:
        one = found[place]
        over = one.over_refusal is None or one.over_refusal > max_over_refusal
        loss = 0.0 if one.task_loss is None else one.task_loss
        return over, -(one.safety or 0.0), loss, place

    best = min(known, key=rank)
    return best, not rank(best)[0]


def beside(answered: Sequence[Chat], number: int, seed: int, what: str) -> list[Chat]:
    """So many of these chats, drawn once: every candidate has the same.

    Raises:
        ModelError: there are fewer.
    """
    if number > len(answered):
        raise ModelError(
            f"one_shot got {len(answered)} {what}", expected=f"at least {number}", do="ask for fewer, or add some"
        )
    return [answered[i] for i in np.random.default_rng(seed).permutation(len(answered))[:number]]


def one_shot(
    tuned: Path, refusals: Sequence[Chat], answered: Mapping[str, Sequence[Chat]], spec: OneShotPatch,
    measure: Measure, train: Train, out: Path,
) -> dict:  # fmt: skip
    """Write the patched model.

    Args:
        refusals: whole chats that end in a refusal; candidates are drawn from them.
        answered: `corpus` and `lookalike` to whole chats that may be trained on beside them.
        measure: asks the calibration probes.
        train: takes the steps.

    Returns:
        Which refusals were taken, and what each candidate gave.

    Raises:
        ModelError: too few rows, or nothing could be scored.
    """
    tried = candidates(refusals, spec.candidates, spec.refusals, spec.seed)
    if not tried:
        raise ModelError(
            f"one_shot got {len(refusals)} refusals", expected=f"at least {spec.refusals}", do="add refusal pairs"
        )
    others = beside(answered.get("lookalike", ()), spec.lookalikes, spec.seed, "look-alikes")
    kept = beside(answered.get("corpus", ()), spec.kept, spec.seed, "corpus rows")
    folders = [out.with_name(f".{out.name}.candidate-{place}") for place in range(len(tried))]
    found = []
    for chosen, folder in zip(tried, folders, strict=True):
        train(tuned, [*(refusals[i] for i in chosen), *others], kept, spec, folder)
        found.append(measure(folder))
    best, within = choose(found, spec.max_over_refusal)
    shutil.rmtree(out, ignore_errors=True)
    folders[best].rename(out)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    listed = [
        {"asked": [refusals[i][-2]["content"] for i in chosen], **asdict(one)}
        for chosen, one in zip(tried, found, strict=True)
    ]
    return {"chosen": best, "keeps_the_limit": within, "before": asdict(measure(tuned)), "candidates": listed}
