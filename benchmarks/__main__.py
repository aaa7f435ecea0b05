"""`python -m benchmarks`: one benchmark after the other; `tournament`, `second_model`, `published_gate` and
`tuning` are run alone."""

import runpy

NAMES = (
    "erosion", "demo_time", "devices", "refusal_judge", "policy_categories", "harmful_requests", "findings",
    "choice_of_pairs", "verdicts", "audit", "guard", "repairs",
)  # fmt: skip
for name in NAMES:
    print(f"== {name}", flush=True)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
