"""A sequence classifier by folder: labels in order, nothing cut, no pickles."""

from pathlib import Path

import pytest
import small_checkpoints

from safety_assets.errors import EvaluationError, ModelError
from safety_assets.models.classify import Classifier, Label

PAIRS = [("How?", "I cannot help with that."), ("Why do dogs run over the green hill?", "Yes."), ("What is 7?", "12.")]


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer) -> Path:
    """A folder with a random classifier of two labels."""
    return small_checkpoints.classifier(tmp_path_factory.mktemp("classifier") / "small", tiny_tokenizer)


def test_labels_come_in_order_and_do_not_depend_on_the_batch(classifier: Path) -> None:
    one, many = Classifier(classifier, batch_rows=1), Classifier(classifier, batch_rows=8)
    assert many.labels == ("safe", "unsafe")
    for a, b in zip(one.classify(PAIRS), many.classify(PAIRS), strict=True):
        assert isinstance(a, Label)
        assert isinstance(b, Label)
        assert (a.name, a.confidence) == (b.name, pytest.approx(b.confidence, abs=1e-5))
        assert 0.5 <= a.confidence <= 1
    assert one.digest == many.digest


def test_what_is_too_long_is_not_cut(classifier: Path) -> None:
    said = Classifier(classifier).classify([PAIRS[0], ("How?", "word " * 200), PAIRS[1]])
    assert [isinstance(one, EvaluationError) for one in said] == [False, True, False]
    assert "the judge reads 64" in str(said[1])


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path, classifier: Path) -> None:
    with pytest.raises(ModelError, match="holds no sequence classifier"):
        Classifier(tmp_path)
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    for path in classifier.iterdir():
        if path.suffix != ".safetensors":
            (pickled / path.name).write_bytes(path.read_bytes())
    (pickled / "pytorch_model.bin").write_bytes(b"never read")
    with pytest.raises(ModelError, match="holds no sequence classifier"):
        Classifier(pickled)
