"""The cache that running rows write into."""

import weakref

import torch
from transformers.cache_utils import DynamicLayer

from safety_assets.models.decoding import BLOCK, RoomyLayer


def drawn(rows: int, tokens: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values; a model may give them other widths."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(rows, 2, tokens, width, generator=generator) for width in (4, 6))


def same(roomy: RoomyLayer, plain: DynamicLayer) -> bool:
    lengths = roomy.get_seq_length() == plain.get_seq_length()
    return lengths and torch.equal(roomy.keys, plain.keys) and torch.equal(roomy.values, plain.values)


def test_it_holds_what_the_layer_of_transformers_holds_beyond_its_room_and_after_rows_left() -> None:
    roomy, plain = RoomyLayer(), DynamicLayer()
    roomy.hold(*([part] for part in drawn(3, 5, 0)), 5)
    plain.update(*drawn(3, 5, 0))
    for token in range(2 * BLOCK + 3):
        if token in (4, BLOCK + 9):  # before and after the room had to grow
            kept = torch.tensor([0, 2]) if token == 4 else torch.tensor([1])
            roomy.batch_select_indices(kept)
            plain.batch_select_indices(kept)
        new = drawn(len(plain.keys), 1, token + 1)
        for ours, theirs in zip(roomy.update(*new), plain.update(*new), strict=True):
            assert torch.equal(ours, theirs)
        assert same(roomy, plain)


def test_tokens_are_written_in_place_and_the_room_is_no_larger_than_a_block() -> None:
    layer = RoomyLayer()
    layer.hold(*([part] for part in drawn(2, 5, 0)), 5)
    place = layer.keys.data_ptr()
    for token in range(BLOCK):
        layer.update(*drawn(2, 1, token))
    assert layer.keys.data_ptr() == place
    assert layer.keys.untyped_storage().nbytes() == 2 * 2 * (5 + BLOCK) * 4 * 4


def test_rows_that_left_take_no_memory() -> None:
    layer = RoomyLayer()
    layer.hold(*([part] for part in drawn(8, 5, 0)), 5)
    layer.update(*drawn(8, 1, 1))
    room = weakref.ref(layer._rooms[0])
    layer.batch_select_indices(torch.tensor([3]))
    assert room() is None
    assert layer.keys.untyped_storage().nbytes() == 2 * 6 * 4 * 4


def test_rows_of_several_caches_end_at_one_column_behind_zeros() -> None:
    layer = RoomyLayer()
    short, long = drawn(2, 3, 0), drawn(1, 5, 1)
    layer.hold(*(list(pair) for pair in zip(short, long, strict=True)), 5)
    assert layer.get_seq_length() == 5
    assert torch.equal(layer.keys[:2, :, 2:], short[0])
    assert not layer.keys[:2, :, :2].any()
    assert torch.equal(layer.values[2:], long[1])
