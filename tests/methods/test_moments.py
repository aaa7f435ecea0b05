"""What a method cannot do on several processes it refuses in words before the first step."""

from dataclasses import replace
from pathlib import Path

import pytest
from opened_training import open_training

from safety_assets.errors import TrainingError
from safety_assets.models.ranks import Ranks

SHARDED, BESIDE = Ranks(0, 2, sharded=True), Ranks(0, 2)
REFUSED = {
    "low rank": ({"method": "gradient_surgery", "scope": "low_rank"}, SHARDED, "singular components.*sharding: none"),
    "mask": ({"method": "neuron_mask"}, SHARDED, "held in whole weights.*sharding: none"),
    "groups": ({"method": "vulnerability_aware"}, SHARDED, "proxy steps.*sharding: none"),
    "pairs": ({"method": "safety_probing", "layers": [0]}, BESIDE, "on 2 processes: the rows of a pair.*devices: 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_words(tiny_model: Path, tmp_path: Path, case: str):
    entry, ranks, words = REFUSED[case]
    run = open_training(tiny_model, tmp_path, entry)
    with pytest.raises(TrainingError, match=words):
        run.methods[0].setup(replace(run.contexts[0], ranks=ranks))
