"""`python -m benchmarks`: every benchmark, one after the other."""

import runpy

for name in ("erosion", "demo_time", "devices", "refusal_judge", "findings", "choice_of_pairs", "audit", "repairs"):
    print(f"== {name}", flush=True)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
