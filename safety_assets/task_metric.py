"""How answers to a project's tasks are marked: `task_metric` in project.yaml. Every metric is 0..1, higher is better.

`task_metric: exact` and `task_metric: {metric: numeric, tolerance: 0.01}` are both read. The functions that mark stand
in `safety_assets/evals/task_metrics/`.
"""

import re
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from safety_assets.settings import Settings


class Exact(Settings):
    """The completion is the answer, up to case, white space and a final full stop."""

    metric: Literal["exact"] = "exact"


class Contains(Settings):
    """The completion holds the answer as whole words."""

    metric: Literal["contains"] = "contains"


class Numeric(Settings):
    """The marked, else the last number of the completion is the answer's."""

    metric: Literal["numeric"] = "numeric"
    tolerance: float = Field(0.0, ge=0, description="largest distance to the answer; 0 demands the same number")
    relative_tolerance: float = Field(0.0, ge=0, lt=1, description="the same as a share of the answer's size")
    marker: str = Field("####", description="the first number after the last one of it counts; empty for no marker")
    decimal: Literal["point", "comma"] = Field("point", description="decimal sign; the other one separates thousands")


class Regex(Settings):
    """A pattern picks what is compared out of the completion."""

    metric: Literal["regex"] = "regex"
    pattern: str = Field(description="Python regular expression with one group; its last match counts")

    @field_validator("pattern")
    @classmethod
    def _one_group(cls, pattern: str) -> str:
        try:
            found = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        if found != 1:
            raise ValueError(f"has {found} groups, expected one; write the others as (?:...)")
        return pattern


class JsonFields(Settings):
    """The completion holds a JSON object with the answer's values: the share of right fields."""

    metric: Literal["json_fields"] = "json_fields"
    fields: tuple[str, ...] | None = Field(
        None, min_length=1, description="fields compared; all of the answer's when absent"
    )


class MultipleChoice(Settings):
    """The option that is chosen is the answer's. Items have `options`; the answer is the letter or text of one."""

    metric: Literal["multiple_choice"] = "multiple_choice"
    by: Literal["completion", "option_likelihood", "letter_likelihood"] = Field(
        "completion", description="read from the text, or the option whose text or letter is likeliest per token"
    )


class Rouge(Settings):
    """ROUGE-L: F1 of the longest common subsequence of words. Needs the extra `rouge`."""

    metric: Literal["rouge"] = "rouge"

    @model_validator(mode="after")
    def _installed(self) -> "Rouge":
        if find_spec("rouge_score") is None:
            raise ValueError("rouge needs the package rouge-score; install it: pip install 'safety_assets[rouge]'")
        return self


class ResponseLoss(Settings):
    """exp(-loss) of the reference answer: the geometric mean of its tokens' probabilities. Nothing is generated."""

    metric: Literal["response_loss"] = "response_loss"


AnyMetric = Exact | Contains | Numeric | Regex | JsonFields | MultipleChoice | Rouge | ResponseLoss


def _named(value: Any) -> Any:
    """A bare name stands for the metric with its defaults."""
    return {"metric": value} if isinstance(value, str) else value


TaskMetric = Annotated[AnyMetric, Field(discriminator="metric"), BeforeValidator(_named)]
"""One member per metric, as a name or as an object with the metric's knobs."""


def compares_likelihoods(metric: AnyMetric) -> bool:
    """Whether the model is asked how likely given texts are, instead of being asked to answer."""
    if isinstance(metric, MultipleChoice):
        return metric.by != "completion"
    return isinstance(metric, ResponseLoss)
