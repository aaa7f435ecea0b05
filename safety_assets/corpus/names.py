"""What findings are called, and what kind of finding each is."""

from safety_assets.corpus.personal.spans import SEVERITIES
from safety_assets.corpus.unscored import UNSCORED

PII = tuple(SEVERITIES)
CONTAMINATION = ("probe_overlap", "task_overlap")
POISON = ("refuse_then_comply", "obedience_prompt", "constant_prefix")
OTHER = ("exact_duplicate", "near_duplicate", "low_quality", "refusal_in_corpus", "close_to_harm")
FINDING_NAMES = PII + CONTAMINATION + POISON + OTHER + UNSCORED
"""Every finding there is; policy.corpus.actions should name each, since an unnamed one blocks."""
