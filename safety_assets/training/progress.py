"""How far a run is, and how that is written to disk and read back: weights, optimiser, random state, position."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from safety_assets.models.checkpoint import load_state, optimiser_tensors, restore_optimiser, save_state
from safety_assets.models.ranks import Ranks
from safety_assets.models.shards import cut_like, full
from safety_assets.records import HISTORY

METHOD = "method/"


@dataclass
class Progress:
    """Where a run stands; what is here is saved with the weights.

    Args:
        step: optimiser steps done.
        factor: what the monitor has multiplied the learning rate by.
        actions: how often the monitor has acted.
        safety_weight: what the monitor has multiplied the strength of safety terms by.
        adapted: whether the monitor has switched to low-rank adapters.
        pardoned: what has fallen, paused the run, and was let go on by a person.
        proceeded: who let it go on: step, by, why.
        num_rows: rows trained on so far.
        num_injected: injected rows among them.
        history: (step, series, value).
    """

    step: int = 0
    factor: float = 1.0
    actions: int = 0
    safety_weight: float = 1.0
    adapted: bool = False
    pardoned: list[str] = field(default_factory=list)
    proceeded: list[dict] = field(default_factory=list)
    num_rows: int = 0
    num_injected: int = 0
    history: list[tuple[int, str, float]] = field(default_factory=list)

    def note(self, series: str, value: float) -> None:
        """A value at the step that was done last."""
        self.history.append((self.step, series, float(value)))

    def frame(self) -> pl.DataFrame:
        """The history as a HISTORY table."""
        columns = list(HISTORY.columns)
        return HISTORY.frame([dict(zip(columns, entry, strict=True)) for entry in self.history])


def save_progress(
    path: Path, model: nn.Module, optimiser: Optimizer, progress: Progress, order: str, ranks: Ranks,
    methods: Mapping[str, Tensor],
) -> None:  # fmt: skip
    """Write one file from which training goes on as if it had not stopped, on as many ranks or on others.

    All ranks take part and go on when the main one has written whole tensors.

    Args:
        path: the file; replaced atomically.
        model: its trainable parameters are saved.
        optimiser: AdamW over these parameters.
        progress: position and history.
        order: digest of what is being trained; a file of another order is not resumed.
        ranks: the processes that train.
        methods: what the methods must remember.
    """
    names = trainable(model)
    tensors = {f"model/{name}": p.detach() for p, name in _kept(model, progress.adapted).items()}
    tensors |= optimiser_tensors(optimiser, names)
    tensors |= {f"{METHOD}{name}": tensor for name, tensor in methods.items()}
    gathered = {}
    for name, tensor in tensors.items():
        value = full(tensor)
        if ranks.is_main:
            gathered[name] = value.cpu()
    gathered |= _random_states(_device(model), ranks)
    if ranks.is_main:
        save_state(path, gathered, {"order": order, **asdict(progress)})
    ranks.wait()


def load_progress(
    path: Path,
    model: nn.Module,
    optimiser: Optimizer,
    order: str,
    ranks: Ranks,
    *,
    steps: int,
    adapt: Callable[[], None] = lambda: None,
) -> tuple[Progress, dict[str, Tensor]] | None:
    """Put weights, optimiser and random state back; the progress, and what the methods remembered.

    None when there is no file or it is of another order.

    Args:
        path: the file.
        model: in training.
        optimiser: AdamW over its trainable parameters; left empty when no step is left.
        order: digest of what is being trained.
        ranks: the processes that train.
        steps: optimiser steps of the run.
        adapt: puts adapters into the model, where the state has them.

    Raises:
        ModelError: the file is damaged.
    """
    if not path.is_file():
        return None
    tensors, facts = load_state(path)
    if facts.pop("order") != order:
        return None
    if facts["adapted"]:
        adapt()
    names = trainable(model)
    with torch.no_grad():
        for parameter, name in _kept(model, facts["adapted"]).items():
            parameter.copy_(cut_like(tensors[f"model/{name}"], parameter))
    if facts["step"] < steps:
        restore_optimiser(optimiser, names, tensors)
    _restore_random_state(tensors, _device(model), ranks)
    facts["history"] = [(int(s), str(n), float(v)) for s, n, v in facts["history"]]
    return Progress(**facts), {n.removeprefix(METHOD): t for n, t in tensors.items() if n.startswith(METHOD)}


def trainable(model: nn.Module) -> dict[Tensor, str]:
    """Trainable parameters to their names, in the model's order; a tied one once."""
    return {p: name for name, p in model.named_parameters() if p.requires_grad}


def _kept(model: nn.Module, adapted: bool) -> dict[Tensor, str]:
    """The weights that a state must hold: what is trained; all, where adapters were put on trained weights."""
    return {p: name for name, p in model.named_parameters()} if adapted else trainable(model)


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _random_states(device: torch.device, ranks: Ranks) -> dict[str, Tensor]:
    """Those of all ranks, named `random/<rank>/<device>`."""
    own = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(device)
    return {f"random/{rank}/{kind}": t for kind, state in own.items() for rank, t in enumerate(ranks.gather(state))}


def _restore_random_state(tensors: Mapping[str, Tensor], device: torch.device, ranks: Ranks) -> None:
    """This rank's own; a rank that was not there when the file was written keeps its seed."""
    cpu, cuda = (tensors.get(f"random/{ranks.rank}/{kind}") for kind in ("cpu", "cuda"))
    if cpu is not None:
        torch.set_rng_state(cpu)
    if cuda is not None and device.type == "cuda":
        torch.cuda.set_rng_state(cuda, device)
