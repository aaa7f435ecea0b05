import torch

from safety_assets.models.batch import pad_right
from safety_assets.models.chat import Encoded


def test_depth_counts_within_each_answer() -> None:
    rows = [
        Encoded(list(range(9)), [False, True, True, False, False, True, True, True, False]),
        Encoded(list(range(4)), [False, False, True, True]),
    ]
    batch = pad_right(rows, 0, torch.device("cpu"), places=(7, 3))
    assert batch.depth.tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert batch.responses_per_row.tolist() == [5, 2]
    assert batch.places == (7, 3)
