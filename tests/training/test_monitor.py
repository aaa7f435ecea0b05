import pytest
import torch
from safetensors.torch import load_file

from safety_assets.errors import TrainingError
from safety_assets.training.run import train

CHATS = [[{"role": "user", "content": "open account"}]]


def test_watching_changes_nothing(order):
    def watch(generator):
        generator.generate(CHATS, 4)
        torch.rand(3)
        return {"safety": 1.0}

    settings = {"methods": ({"method": "lora", "dropout": 0.3},)}
    events = []
    plain = train(order("plain", **settings))
    watched = train(
        order("watched", monitor={"every": 2}, baseline={"safety": 10.0}, **settings), watch=watch, report=events.append
    )
    a, b = (load_file(t.model / "model.safetensors") for t in (plain, watched))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert [e["step"] for e in events if e["event"] == "watch"] == [2, 4, 6]
    assert {e["action"] for e in events if e["event"] == "monitor"} == {"watch"}


def test_a_fall_lowers_the_learning_rate(order):
    scores = iter([10.0, 5.0, 10.0])
    monitor = {"every": 2, "action": "lower_learning_rate"}
    trained = train(
        order(monitor=monitor, optimiser={"schedule": "constant"}, baseline={"safety": 10.0}),
        watch=lambda generator: {"safety": next(scores)},
    )
    rates = trained.history.filter(series="learning_rate")["value"].to_list()
    assert rates == pytest.approx([1e-2] * 4 + [5e-3] * 2)
    assert trained.facts["monitor_actions"] == 1


def test_a_roll_back_returns_to_the_last_good_state(order):
    scores = iter([10.0, 5.0, 10.0, 10.0])
    seen = []
    monitor = {"every": 2, "action": "roll_back"}
    trained = train(
        order(monitor=monitor, optimiser={"schedule": "constant"}, baseline={"safety": 10.0}),
        watch=lambda generator: seen.append(generator.model[-1]) or {"safety": next(scores)},
    )
    assert seen == ["2", "4", "4", "6"]
    steps = trained.history.filter(series="learning_rate")
    assert steps["step"].to_list() == [1, 2, 3, 4, 5, 6]
    assert steps["value"].to_list() == pytest.approx([1e-2] * 2 + [5e-3] * 4)
    assert trained.facts["num_rows"] == 24


def test_after_so_many_actions_training_stops_in_words(order):
    monitor = {"every": 1, "action": "roll_back", "max_actions": 2}
    with pytest.raises(TrainingError, match=r"safety 1\.00 \(base 10\.00\), after 2 actions"):
        train(order(monitor=monitor, baseline={"safety": 10.0}), watch=lambda generator: {"safety": 1.0})
