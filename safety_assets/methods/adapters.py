"""What all adapters of PEFT share: which layers they stand in, how they are put in, switched off and merged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from peft.tuners.tuners_utils import BaseTuner
from torch import nn
from transformers import PreTrainedModel

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context
from safety_assets.methods.structure import is_frozen, is_linear
from safety_assets.models.adapter import refuse_tied
from safety_assets.models.load import forked_random_state


def put_in(context: Context, make: Callable[[], BaseTuner], method: str) -> BaseTuner:
    """Wrap the model in place, with initial values from the method's own generator; all else is frozen.

    Raises:
        TrainingError: there is no such layer, or one that PEFT does not know.
        ModelError: a layer shares its weight with another.
    """
    with forked_random_state(context.model):
        torch.manual_seed(int(context.rng.integers(2**31)))
        try:
            tuner = make()
        except (ValueError, NotImplementedError) as error:
            raise TrainingError(f"{method} finds no layer: {error}", do="correct layers in the recipe") from error
    for parameter in context.parameters():
        parameter.data = parameter.data.float()  # beside weights in 4 bits PEFT makes bf16
    assert isinstance(context.model, PreTrainedModel)
    refuse_tied(context.model)
    return tuner


@contextmanager
def off(tuner: BaseTuner) -> Iterator[None]:
    """Inside, the model is the base."""
    tuner.disable_adapter_layers()
    try:
        yield
    finally:
        tuner.enable_adapter_layers()


def left_free(model: nn.Module, layers: tuple[str, ...] | str) -> list[str] | str:
    """The layers to adapt: as the recipe says, less those that another method has frozen."""
    frozen = {name for name, m in model.named_modules() if is_linear(m) and is_frozen(m)}
    if not frozen:
        return layers if isinstance(layers, str) else list(layers)
    free = [name for name, m in model.named_modules() if is_linear(m) and name not in frozen]
    assert isinstance(model, PreTrainedModel)
    output = {n for n, m in model.named_modules() if m is model.get_output_embeddings()}
    if isinstance(layers, str):
        return [name for name in free if name not in output]
    return [name for name in free if any(name == own or name.endswith(f".{own}") for own in layers)]
