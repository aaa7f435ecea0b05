"""`safety-assets`: the assets from a terminal, without Dagster. Exit codes: 0 done, 1 refused or rejected, 2 usage."""

from safety_assets.commands import doctor, gate, init, materialize, new, plan, released, run, schema, status, workspace
from safety_assets.commands.terminal import app

COMMANDS = (init, new, doctor, plan, run, materialize, status, released, gate, schema, workspace)
"""Every module that adds commands, in the order `--help` lists them."""

if __name__ == "__main__":
    app()
