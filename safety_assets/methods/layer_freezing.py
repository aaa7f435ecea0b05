"""SPPFT: leave the layers in which safety lives as they are, and train the others.

Idea: the attention and the MLP of the safety layers are frozen; embeddings, norms and all other layers are trained.
Paper: Li et al., Safety Layers in Aligned Large Language Models, arXiv 2408.17003, section 4.
Moments: setup.
Cost: less than plain training: no gradient, no moments of what is frozen.
Fails: it takes layers that were found well; later layers can still route around them; explicit harm at a high
learning rate is learnt all the same; freezing single neurons instead did not help in the same paper.
Deviation: the layers are those of safety_anatomy, which finds them by separation and not by scaling weights and
counting refusals; where it names none, or nobody has looked, the middle of the depth, and the history says so
(layer_freezing/from_anatomy is 0). With LoRA the adapters stand in the other layers only. Neutral value: no layers.
"""

from collections.abc import Sequence

from torch import nn

from safety_assets.errors import TrainingError
from safety_assets.methods import structure
from safety_assets.methods.moments import Context, Method
from safety_assets.shaping_specs import LayerFreezing as Spec


def middle_of(depth: int, first: float, end: float) -> tuple[int, ...]:
    """The layers from `first` up to `end`, shares of the depth: at least one where `first` is below `end`."""
    start = round(first * depth)
    return tuple(range(start, max(round(end * depth), start + (first < end))))


def freeze(layers: Sequence[nn.Module]) -> list[nn.Parameter]:
    """Take attention and MLP of each layer out of training; their parameters."""
    frozen = [p for layer in layers for block in structure.blocks(layer) for p in block.parameters()]
    for parameter in frozen:
        structure.freeze(parameter)
    return frozen


class LayerFreezing(Method):
    """Safety layers are not trained.

    Args:
        spec: which layers.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def setup(self, context: Context) -> None:
        """Freeze, before anything else is put into the model."""
        layers = structure.layers(context.model)
        chosen = self._chosen(context, len(layers))
        absent = [i for i in chosen if not 0 <= i < len(layers)]
        if absent or len(set(chosen)) == len(layers):
            raise TrainingError(
                f"layer_freezing names layers {', '.join(map(str, absent or chosen))}",
                expected=f"some, not all, of the layers 0 to {len(layers) - 1}", do="correct layers in the recipe",
            )  # fmt: skip
        freeze([layers[i] for i in chosen])
        context.log("layer_freezing/layers", float(len(set(chosen))))

    def _chosen(self, context: Context, depth: int) -> tuple[int, ...]:
        spec = self._spec
        if not isinstance(spec.layers, str):
            return spec.layers
        found = _of_anatomy(context) if spec.layers == "anatomy" else ()
        context.log("layer_freezing/from_anatomy", float(bool(found)))
        return found or middle_of(depth, *spec.middle)


def _of_anatomy(context: Context) -> tuple[int, ...]:
    try:
        return context.anatomy().safety_layers
    except TrainingError:  # nobody has looked
        return ()
