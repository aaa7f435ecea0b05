"""Recipe entries to methods, and the one order in which methods act."""

from collections.abc import Sequence
from typing import assert_never

from safety_assets.methods.gradient_surgery import SafeGrad
from safety_assets.methods.lora import LoRA
from safety_assets.methods.moments import Method
from safety_assets.recipes import GradientSurgery, LowRankAdaptation, MethodSpec


def build(spec: MethodSpec) -> Method:
    """The method that a recipe entry names."""
    match spec:
        case LowRankAdaptation():
            return LoRA(spec)
        case GradientSurgery():
            return SafeGrad(spec)
        case _:
            assert_never(spec)


def build_all(specs: Sequence[MethodSpec]) -> list[Method]:
    """Methods in the order in which they act, whatever their order in the recipe: wrapping before inner products."""
    return [build(spec) for spec in sorted(specs, key=_rank)]


def _rank(spec: MethodSpec) -> int:
    match spec:
        case LowRankAdaptation():
            return 0
        case GradientSurgery():
            return 1
        case _:
            assert_never(spec)
