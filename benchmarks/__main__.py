"""`python -m benchmarks`: one benchmark after the other; `tournament`, which takes hours, is run by itself."""

import runpy

for name in ("erosion", "demo_time", "devices", "refusal_judge", "findings", "choice_of_pairs", "audit"):
    print(f"== {name}", flush=True)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
