import math
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from safety_assets.errors import ModelError
from safety_assets.evals.ask import ask_tasks
from safety_assets.evals.tasks import score_tasks
from safety_assets.models.chat import encode_chat, encode_prompt
from safety_assets.models.decoding import Running, shared_beginning
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.records import TASKS
from safety_assets.task_metric import ResponseLoss

WORDS = ("open", "account", "dog", "green", "7", "unsafe", "form", "cat")


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def chats() -> list:
    return [[{"role": "user", "content": " ".join((WORDS * 3)[i : i + 1 + i % 7])}] for i in range(16)]


def reference(loaded: LoadedModel, chat: list, tokens: int) -> list[int]:
    prompt = torch.tensor([encode_prompt(loaded.tokenizer, chat)])
    mask = torch.ones_like(prompt)
    out = loaded.model.generate(input_ids=prompt, attention_mask=mask, max_new_tokens=tokens, do_sample=False)
    return out[0, prompt.shape[1] :].tolist()


@pytest.mark.parametrize("batch_rows", [1, 5, 128])
def test_answers_are_those_of_model_generate(loaded: LoadedModel, chats: list, batch_rows: int):
    answers = Generator(loaded, batch_rows).generate(chats, 12)
    for chat, answer in zip(chats, answers, strict=True):
        ids = reference(loaded, chat, 12)
        assert answer.text == loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
        assert (answer.finish, answer.num_tokens) == (("stop", len(ids) - 1) if ids[-1] == 3 else ("length", len(ids)))


def test_rows_that_stop_leave_the_others_alone(loaded: LoadedModel, chats: list):
    """Every token that some answer holds in its middle is made an end token, so that rows stop at different steps."""
    whole = [reference(loaded, chat, 12) for chat in chats]
    stops = {ids[i % 11] for i, ids in enumerate(whole)}
    generator = Generator(loaded)
    generator._stop_ids = frozenset(stops)
    for ids, answer in zip(whole, generator.generate(chats, 12), strict=True):
        length = next((i for i, token in enumerate(ids) if token in stops), None)
        assert answer.num_tokens == (12 if length is None else length)
        assert answer.finish == ("length" if length is None else "stop")
        assert answer.text == loaded.tokenizer.decode(ids[:length], skip_special_tokens=True).strip()


def test_choices_are_scored_as_the_assistants_answer(loaded: LoadedModel, chats: list):
    choices = [["Yes.", "No, never.", ""]] * len(chats)
    found = Generator(loaded, 7).choice_logprobs(chats, choices)
    for chat, own, values in zip(chats, choices, found, strict=True):
        for choice, value in zip(own, values, strict=True):
            assert value == pytest.approx(direct(loaded, chat, choice), abs=1e-5)


def direct(loaded: LoadedModel, chat: list, choice: str) -> float:
    ids = encode_chat(loaded.tokenizer, [*chat, {"role": "assistant", "content": choice}]).ids
    start = len(encode_prompt(loaded.tokenizer, chat))
    with torch.no_grad():
        logprobs = loaded.model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids))) / (len(ids) - start)


def test_response_loss_is_that_of_the_model_itself(loaded: LoadedModel, chats: list):
    """exp of minus the mean cross-entropy of the answer's tokens, one chat at a time."""
    answers = [f"The {word} answer." for word in WORDS]
    rows = [{"task_id": w, "messages": c, "answer": a} for w, c, a in zip(WORDS, chats, answers, strict=False)]
    tasks = TASKS.frame(rows)
    scores = score_tasks(
        tasks, ask_tasks(tasks, Generator(loaded, 3), ResponseLoss(), max_new_tokens=1), ResponseLoss()
    )
    for chat, answer, value in zip(chats, answers, scores["value"], strict=False):
        assert value == pytest.approx(math.exp(direct(loaded, chat, answer)), rel=1e-4)


def test_a_prompt_that_fills_the_context_is_refused(loaded: LoadedModel):
    short, long = ([{"role": "user", "content": "dog " * number}] for number in (2, 300))
    told: list[int] = []
    with pytest.raises(ModelError, match="it begins .*dog dog.*the model's context.*take it out"):
        Generator(loaded, 1, told=lambda done, of: told.append(done)).generate([short, long], 4)
    assert told == []


def test_how_far_it_is_is_told_after_each_batch(loaded: LoadedModel, chats: list):
    heard: list[tuple[int, int]] = []
    generator = Generator(loaded, 3, told=lambda done, of: heard.append((done, of)))
    assert generator.generate(chats[:7], 4) == Generator(loaded, 3).generate(chats[:7], 4)
    assert heard == [(3, 7), (6, 7), (7, 7)]
    heard.clear()
    generator.choice_logprobs(chats[:2], [["Yes.", "No."], ["Yes.", "No."]])
    assert heard == [(3, 4), (4, 4)]


def test_no_chats_no_answers(loaded: LoadedModel):
    assert Generator(loaded).generate([], 4) == []
    assert Generator(loaded).choice_logprobs([], []) == []


def test_rows_of_several_batches_are_joined_and_answer_as_alone(loaded: LoadedModel, chats: list):
    """Long answers of small batches are set aside, padded to one length, and go on together."""
    whole = [reference(loaded, chat, 24) for chat in chats]
    generator = Generator(loaded, batch_rows=3)
    generator._stop_ids = frozenset(ids[i % 5] for i, ids in enumerate(whole) if i % 2)
    joined: list[int] = []
    forward = generator._forward

    def counted(rows: Running) -> torch.Tensor:
        joined.append(len(rows.prompts))
        return forward(rows)

    generator._forward = counted
    for ids, answer in zip(whole, generator.generate(chats, 24), strict=True):
        length = next((i for i, token in enumerate(ids) if token in generator._stop_ids), None)
        assert answer.text == loaded.tokenizer.decode(ids[:length], skip_special_tokens=True).strip()
    alone = sum(max(len(ids) for ids in whole[i : i + 3]) for i in range(0, len(whole), 3))
    assert len(joined) < alone
    assert max(joined) == 3


def test_a_beginning_that_all_share_is_read_once(loaded: LoadedModel, chats: list):
    system = {"role": "system", "content": " ".join(WORDS * 4)}
    told = [[system, *chat] for chat in chats]
    generator, read = Generator(loaded, batch_rows=8), list[torch.Size]()
    forward = generator._forward

    def counted(rows: Running) -> torch.Tensor:
        read.append(rows.ids.shape)
        return forward(rows)

    generator._forward = counted
    answers = generator.generate(told, 12)
    for chat, answer in zip(told, answers, strict=True):
        ids = reference(loaded, chat, 12)
        assert answer.text == loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
    shared = shared_beginning([encode_prompt(loaded.tokenizer, chat) for chat in told])
    assert shared >= 16
    assert [size for size in read if size[1] >= shared] == [(1, shared)] * 2  # one row for each batch
    assert sum(map(torch.Size.numel, read)) < sum(len(encode_prompt(loaded.tokenizer, chat)) for chat in told)


@pytest.mark.parametrize("read", [1, 40, 90])
def test_prompts_are_read_in_parts_and_answered_as_alone(
    loaded: LoadedModel, chats: list, read: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("safety_assets.models.generate.READ", read)
    generator, sizes = Generator(loaded, 8), list[torch.Size]()
    forward = generator._forward

    def counted(rows: Running) -> torch.Tensor:
        sizes.append(rows.ids.shape)
        return forward(rows)

    generator._forward = counted
    for chat, answer in zip(chats, generator.generate(chats, 12), strict=True):
        ids = reference(loaded, chat, 12)
        assert answer.text == loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
    assert all(rows == 1 or rows * width <= read for rows, width in sizes if width > 1)


def test_what_prompts_share_leaves_each_a_token():
    assert shared_beginning([[1, 2, 3], [1, 2, 4, 5], [1, 2, 3, 9]]) == 2
    assert shared_beginning([[1, 2], [1, 2]]) == 1
    assert shared_beginning([[2], [1, 2]]) == 0


def test_a_row_that_ends_at_the_context_may_wait_for_others(tmp_path: Path, loaded: LoadedModel):
    """Positions that are learnt end with the context: a row that is through must not be asked for one behind it."""
    tokenizer, chats = (
        loaded.tokenizer,
        [[{"role": "user", "content": "dog " * 12}], *[[{"role": "user", "content": "7"}]] * 7],
    )
    longest = max(len(encode_prompt(tokenizer, chat)) for chat in chats)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=longest + 2, n_embd=16, n_layer=1, n_head=2, eos_token_id=None,
        bos_token_id=None,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    generator = Generator(load_model(tmp_path))
    generator._stop_ids = frozenset()
    assert [one.num_tokens for one in generator.generate(chats, 6)] == [2, *[6] * 7]
