"""Jobs: `observe_inputs` sees edits, `measure` makes what all recipes share, `fine_tune` one recipe, `compare` all."""

import dagster as dg

from safety_assets.defs import inputs
from safety_assets.defs.spec import asset_key
from safety_assets.flows.graph import GRAPH

LEADERBOARD = "recipe_leaderboard"


def _named(*, partitioned: bool) -> dg.AssetSelection:
    keys = [
        asset_key(name)
        for name, node in GRAPH.items()
        if not node.observed and node.partitioned is partitioned and name != LEADERBOARD
    ]
    return dg.AssetSelection.assets(*keys)


observe_inputs = dg.define_asset_job(
    "observe_inputs",
    selection=dg.AssetSelection.assets(*(asset.key for asset in inputs.ASSETS)),
    description="Look at policy, tasks, recipes and the pretrained model: what changed makes what depends on it stale.",
)
measure = dg.define_asset_job(
    "measure",
    selection=_named(partitioned=False),
    description="Audit the corpus, score the base, calibrate the injected share: everything that recipes share.",
)
fine_tune = dg.define_asset_job(
    "fine_tune",
    selection=_named(partitioned=True),
    description="Train one recipe, score it against the base, decide, and release it if it is approved.",
)
compare = dg.define_asset_job(
    "compare",
    selection=dg.AssetSelection.assets(asset_key(LEADERBOARD)),
    description="Put all recipes scored so far side by side.",
)

JOBS = [observe_inputs, measure, fine_tune, compare]
