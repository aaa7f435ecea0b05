"""The learning rate of every step."""

from math import cos, pi

from safety_assets.recipes import Optimiser


def learning_rate(settings: Optimiser, step: int) -> float:
    """The learning rate of one optimiser step (0-based).

    It rises in a line over the warm-up steps, reaches the peak at the first step after them, and ends at
    `final_share` of the peak with the last step (constant: stays at the peak).
    """
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / (settings.warmup_steps + 1)
    passed = (step - settings.warmup_steps) / max(1, settings.steps - 1 - settings.warmup_steps)
    match settings.schedule:
        case "constant":
            share = 1.0
        case "linear":
            share = 1.0 - (1.0 - settings.final_share) * passed
        case "cosine":
            share = settings.final_share + (1.0 - settings.final_share) * (1.0 + cos(pi * passed)) / 2.0
    return settings.learning_rate * share
