"""Jobs over assets: `observe_inputs` sees edits, `measure` makes what all recipes share, `fine_tune` one recipe,
`retrain` the same without its release, `release` decides and releases, `compare_recipes` puts all side by side,
`gate_external` judges a checkpoint from elsewhere.
"""

import dagster as dg

from safety_assets.defs import inputs
from safety_assets.defs.owners import tagged
from safety_assets.defs.spec import asset_key
from safety_assets.flows.graph import GRAPH

LEADERBOARD, EXTERNAL, RELEASED = "recipe_leaderboard", "external_verdict", "released_model"
APART = (LEADERBOARD, EXTERNAL)
"""Assets with a job of their own."""


def _named(*, partitioned: bool) -> dg.AssetSelection:
    keys = [
        asset_key(name)
        for name, node in GRAPH.items()
        if not node.observed and node.partitioned is partitioned and name not in APART
    ]
    return dg.AssetSelection.assets(*keys)


observe_inputs = dg.define_asset_job(
    "observe_inputs",
    tags=tagged("ml_engineer"),
    selection=dg.AssetSelection.assets(*(asset.key for asset in inputs.ASSETS)),
    description="Look at policy, tasks, recipes and the pretrained model: what changed makes what depends on it stale.",
)
measure = dg.define_asset_job(
    "measure",
    tags=tagged("data_steward"),
    selection=_named(partitioned=False),
    description="Audit the corpus, score the base, calibrate the injected share: everything that recipes share.",
)
fine_tune = dg.define_asset_job(
    "fine_tune",
    tags=tagged("ml_engineer"),
    selection=_named(partitioned=True),
    description="Train one recipe, score it against the base, decide, and release it if it is approved.",
)
retrain = dg.define_asset_job(
    "retrain",
    tags=tagged("ml_engineer"),
    selection=_named(partitioned=True) - dg.AssetSelection.assets(asset_key(RELEASED)),
    description="What the schedule runs: train, score and decide. It proposes a release and moves no pointer.",
)
release = dg.define_asset_job(
    "release",
    tags=tagged("model_owner"),
    selection=dg.AssetSelection.assets(*(asset_key(n) for n, node in GRAPH.items() if node.group == "release")),
    description="Decide on the scores that are there, and release if the decision is an approval.",
)
compare_recipes = dg.define_asset_job(
    "compare_recipes",
    tags=tagged("safety_engineer"),
    selection=dg.AssetSelection.assets(asset_key(LEADERBOARD)),
    description="Put all recipes scored so far side by side.",
)
gate_external = dg.define_asset_job(
    "gate_external",
    tags=tagged("model_owner"),
    selection=dg.AssetSelection.assets(asset_key(EXTERNAL)),
    description="Gate one checkpoint that was trained elsewhere. It never moves what is released.",
)

JOBS = [observe_inputs, measure, fine_tune, retrain, release, compare_recipes, gate_external]
