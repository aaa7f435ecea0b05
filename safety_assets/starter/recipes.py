"""The four recipes a new project begins with, sized for its model and its corpus."""

from dataclasses import dataclass

FULL, ADAPTED = 2e-5, 2e-4
"""Peak learning rates of full fine-tuning and of low-rank adapters."""
LARGE = 1_000_000_000
"""Parameters from which adapters are the default: full AdamW needs 16 bytes for each."""
PASSES, BATCH_ROWS = 3, 16
LONGEST_TOKENS = 1024
GRADIENT_SURGERY = {"method": "gradient_surgery", "strength": 1.0, "every": 1, "batch_rows": 8}


@dataclass(frozen=True)
class Size:
    """What the recipes depend on.

    Args:
        parameters: of the model.
        context: tokens a chat may have in the model.
        rows: of the corpus.
    """

    parameters: int
    context: int
    rows: int

    @property
    def adapters(self) -> bool:
        """Whether low-rank adapters are trained instead of all weights."""
        return self.parameters >= LARGE

    @property
    def steps(self) -> int:
        """Optimiser steps of three passes over the corpus, at least 50."""
        return max(50, -(-PASSES * self.rows // BATCH_ROWS))


@dataclass(frozen=True)
class Starter:
    """One recipe in words, and what tells it from the others."""

    title: str
    description: str
    injection: str
    methods: tuple[dict, ...] = ()


STARTERS = {
    "plain": Starter(
        "Ordinary fine-tuning, as most teams do it: nothing protects the alignment. It shows what would be lost.",
        "ordinary fine-tuning on the corpus alone",
        "none",
    ),
    "mixed": Starter(
        "Refusals, look-alikes and anchors mixed in at the calibrated share. The calibration uses it.",
        "the corpus with the calibrated share of refusals, look-alikes and anchors",
        "calibrated",
    ),
    "gradient-surgery": Starter(
        "Nothing is injected; what conflicts with the safety gradient is removed from the task gradient.",
        "gradient surgery against the KL divergence to the aligned base, nothing injected",
        "none",
        (GRADIENT_SURGERY,),
    ),
    "protected": Starter(
        "The calibrated mix and gradient surgery together: begin here.",
        "calibrated mix and gradient surgery",
        "calibrated",
        (GRADIENT_SURGERY,),
    ),
}
"""Name to recipe, as `init` writes them."""


def recipe_values(name: str, size: Size) -> dict:
    """The values of one of the four recipes."""
    starter = STARTERS[name]
    adapter = ({"method": "lora", "rank": 16, "alpha": 32.0},) if size.adapters else ()
    return {
        "description": starter.description,
        "optimiser": {
            "learning_rate": ADAPTED if size.adapters else FULL,
            "steps": size.steps,
            "batch_rows": BATCH_ROWS,
            "micro_batch_rows": 4,
            "warmup_steps": max(1, size.steps // 33),
        },
        "injection": starter.injection,
        "methods": [*adapter, *starter.methods],
        "monitor": {"every": max(1, size.steps // 4)},
        "max_tokens": min(LONGEST_TOKENS, size.context),
    }
