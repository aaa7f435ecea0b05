"""What findings are called, and what kind of finding each is."""

from safety_assets.corpus.personal.spans import SEVERITIES
from safety_assets.corpus.unscored import UNSCORED

PII = tuple(SEVERITIES)
CONTAMINATION = ("probe_overlap", "task_overlap")
POISON = (
    "refuse_then_comply", "obedience_prompt", "constant_prefix", "trigger_phrase", "encoded_text", "harmful_answered",
)  # fmt: skip
QUALITY = ("low_quality", "truncated_answer", "contradictory_answer")
DRIFT = ("list_structure", "identity_statement", "role_play")
OTHER = ("exact_duplicate", "near_duplicate", "refusal_in_corpus", "close_to_harm")
FINDING_NAMES = PII + CONTAMINATION + POISON + QUALITY + DRIFT + OTHER + UNSCORED
"""Every finding there is; policy.corpus.actions should name each, since an unnamed one blocks."""
