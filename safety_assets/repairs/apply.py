"""One repair by its spec: what it needs is handed over, what is missing is refused in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safety_assets.errors import TrainingError
from safety_assets.models.chat import Chat
from safety_assets.repair_specs import (
    LinearMerge,
    LowRankExtrapolation,
    NeuronRealignment,
    OneShotPatch,
    RepairSpec,
    SafeLowRank,
)
from safety_assets.repairs.lox import lox
from safety_assets.repairs.measured import Measure
from safety_assets.repairs.merge import merge
from safety_assets.repairs.nlsr import nlsr
from safety_assets.repairs.one_shot import Train, one_shot
from safety_assets.repairs.safe_lora import safe_lora


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What repairs are made from, beside the weights.

    Args:
        base: the aligned model that tuning started from.
        pretrained: its unaligned ancestor.
        refusals: whole chats that end in a refusal.
        answered: `corpus` and `lookalike` to whole chats of these rows.
        measure: asks the calibration probes.
        train: takes a few steps.
    """

    base: Path
    pretrained: Path | None = None
    refusals: Sequence[Chat] = ()
    answered: Mapping[str, Sequence[Chat]] = field(default_factory=dict)
    measure: Measure | None = None
    train: Train | None = None


def repair(spec: RepairSpec, tuned: Path, out: Path, sources: Sources) -> dict:
    """Write the repaired model folder; what was done and found, as a JSON value.

    Raises:
        TrainingError: the repair needs the unaligned ancestor and there is none.
        ModelError: as the repair says.
    """
    match spec:
        case LowRankExtrapolation():
            return lox(tuned, sources.base, ancestor(spec, sources.pretrained), spec, out)
        case SafeLowRank():
            return safe_lora(tuned, sources.base, ancestor(spec, sources.pretrained), spec, out)
        case NeuronRealignment():
            return nlsr(tuned, sources.base, ancestor(spec, sources.pretrained), sources.refusals, spec, out)
        case LinearMerge():
            return merge(tuned, sources.base, spec, sources.measure, out)
        case OneShotPatch():
            assert sources.measure is not None
            assert sources.train is not None
            return one_shot(tuned, sources.refusals, sources.answered, spec, sources.measure, sources.train, out)


def ancestor(spec: RepairSpec, pretrained: Path | None) -> Path:
    """The ancestor's folder; TrainingError where there is none."""
    if pretrained is None:
        raise TrainingError(
            f"{spec.repair} reads what alignment changed, and no unaligned ancestor is named",
            expected="the model before its alignment", do="name pretrained_model in project.yaml, or take merge",
        )  # fmt: skip
    return pretrained
