"""What findings are called, and what kind of finding each is."""

from safety_assets.corpus.behaviour import BEHAVIOUR
from safety_assets.corpus.personal.spans import SEVERITIES
from safety_assets.corpus.unscored import UNSCORED

PII = tuple(SEVERITIES)
CONTAMINATION = ("probe_overlap", "task_overlap")
POISON = (
    "refuse_then_comply", "obedience_prompt", "constant_prefix", "trigger_phrase", "encoded_text", "harmful_answered",
)  # fmt: skip
QUALITY = ("low_quality", "truncated_answer", "contradictory_answer")
DRIFT = ("list_structure", "identity_statement", "role_play")
OTHER = ("exact_duplicate", "near_duplicate", "close_to_harm")
FINDING_NAMES = PII + CONTAMINATION + POISON + QUALITY + DRIFT + BEHAVIOUR + OTHER + UNSCORED
"""Every finding there is; policy.corpus.actions should name each, since an unnamed one blocks."""

NOTES = tuple(name for name in BEHAVIOUR if name != "refusal_in_corpus")
"""Findings that say what an answer does and no more: where the policy does not name one, it is flagged."""
