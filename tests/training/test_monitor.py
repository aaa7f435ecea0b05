import pytest
import torch
from safetensors.torch import load_file

from safety_assets.errors import TrainingError
from safety_assets.training.pauses import answer
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
    assert {e["action"] for e in events if e["event"] == "monitor"} == {"warn"}


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


def divergence(**changes) -> dict:
    """An instrument that has fallen as soon as anything was learnt."""
    return {"look": "safety_divergence", "rows": 8, "at_most": 1e-9, **changes}


ALWAYS = {"safety": 10.0}
SURGERY = {"method": "gradient_surgery", "every": 2, "batch_rows": 4}


def test_instruments_that_do_not_act_change_nothing(order):
    looks = [divergence(), {"look": "refusal_direction", "prompts": 8}, {"look": "linear_probes", "prompts": 8}]
    settings = {"methods": ({"method": "lora", "dropout": 0.3},), "share": 0.2}
    events = []
    plain = train(order("plain", **settings))
    seen = train(
        order("seen", monitor={"every": 2, "instruments": looks}, **settings), watch=lambda g: ALWAYS,
        report=events.append,
    )  # fmt: skip
    a, b = (load_file(t.model / "model.safetensors") for t in (plain, seen))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert {e["action"] for e in events if e["event"] == "monitor"} == {"warn"}
    series = seen.history.filter(series="monitor/safety_divergence/divergence")
    assert series["step"].to_list() == [2, 4, 6]
    assert series["value"].min() > 0


def test_the_safety_weight_is_raised_and_surgery_follows(order):
    monitor = {"every": 2, "factor": 0.5, "instruments": [divergence(action="raise_safety_weight")]}
    settings = {"methods": [SURGERY], "share": 0.2}
    raised = train(order("raised", monitor=monitor, **settings), watch=lambda g: ALWAYS)
    plain = train(order("plain", **settings), watch=lambda g: ALWAYS)
    assert raised.history.filter(series="monitor/safety_weight")["value"].to_list() == [2.0, 4.0, 8.0]
    a, b = (load_file(t.model / "model.safetensors") for t in (plain, raised))
    assert not all(torch.equal(a[k], b[k]) for k in a)
    with pytest.raises(ValueError, match="no method has one; add gradient_surgery"):
        order(monitor=monitor)


def test_of_two_that_fell_the_harder_action_is_taken_once(order):
    events = []
    monitor = {"every": 6, "action": "lower_learning_rate", "instruments": [divergence(action="stop")]}
    with pytest.raises(TrainingError, match=r"safety 1\.00 \(base 10\.00\), safety_divergence/divergence"):
        train(order(monitor=monitor, share=0.2, baseline=ALWAYS), watch=lambda g: {"safety": 1.0}, report=events.append)
    assert [e["action"] for e in events if e["event"] == "monitor"] == ["stop"]


def test_it_goes_on_with_adapters_and_resumes_with_them(order):
    monitor = {"every": 2, "rank": 2, "instruments": [divergence(action="switch_to_lora")], "max_actions": 9}
    settings = {"monitor": monitor, "share": 0.2, "methods": [SURGERY]}
    whole = train(order("whole", **settings), watch=lambda g: ALWAYS)
    assert whole.facts["adapted"] is True
    for stop_after in (2, 5):
        asked = iter(range(100))
        with pytest.raises(TrainingError, match="interrupted"):
            train(
                order(f"cut{stop_after}", **settings), watch=lambda g: ALWAYS,
                should_stop=lambda a=asked, s=stop_after: next(a) == s,
            )  # fmt: skip
        resumed = train(order(f"cut{stop_after}", **settings), watch=lambda g: ALWAYS)
        name = "model.safetensors"
        assert (whole.model / name).read_bytes() == (resumed.model / name).read_bytes()
    full = train(order("full", share=0.2, methods=[SURGERY]), watch=lambda g: ALWAYS)
    a, b = (load_file(t.model / "model.safetensors") for t in (full, whole))
    assert a.keys() == b.keys()
    assert not all(torch.equal(a[k], b[k]) for k in a)


def test_a_switch_beside_adapters_is_refused(order):
    with pytest.raises(ValueError, match="switches to LoRA, and lora needs the parameters that it began with"):
        order(methods=[{"method": "lora"}], monitor={"action": "switch_to_lora"})


def test_a_pause_waits_for_a_person_and_goes_on_as_if_it_had_not_been(order):
    monitor = {"every": 2, "instruments": [divergence(action="pause")]}
    settings = {"monitor": monitor, "share": 0.2}
    uninterrupted = train(order("plain", share=0.2), watch=lambda g: ALWAYS)
    wanted = order("own", **settings)
    for _ in range(2):  # launching it again asks again
        with pytest.raises(TrainingError, match="paused after step 2: the monitor saw safety_divergence/divergence"):
            train(wanted, watch=lambda g: ALWAYS)
    with pytest.raises(TrainingError, match="no name or no reason"):
        answer(wanted.work, by=" ", why="seen")
    answer(wanted.work, by="A. Owner", why="seen")
    done = train(wanted, watch=lambda g: ALWAYS)
    assert done.facts["proceeded"] == [{"step": 2, "by": "A. Owner", "why": "seen"}]
    a, b = (load_file(t.model / "model.safetensors") for t in (uninterrupted, done))
    assert all(torch.equal(a[k], b[k]) for k in a)
