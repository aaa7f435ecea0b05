"""What findings are called, and what kind of finding each is."""

PII = ("secret", "payment_card", "iban", "us_ssn", "email", "ip_address", "phone")
CONTAMINATION = ("probe_overlap", "task_overlap")
POISON = ("refuse_then_comply", "obedience_prompt", "constant_prefix")
OTHER = ("exact_duplicate", "near_duplicate", "low_quality", "refusal_in_corpus")
FINDING_NAMES = PII + CONTAMINATION + POISON + OTHER
"""Every finding there is; policy.corpus.actions should name each, since an unnamed one blocks."""
