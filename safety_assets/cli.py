"""`safety-assets`: the assets from a terminal, without Dagster. Exit codes: 0 done, 1 refused or rejected, 2 usage."""

from safety_assets.commands import (
    audit,
    doctor,
    gate,
    init,
    materialize,
    new,
    plan,
    released,
    run,
    schema,
    sql,
    status,
    trace,
    workspace,
)
from safety_assets.commands.terminal import app

COMMANDS = (
    init, new, doctor, audit, plan, run, materialize, status, sql, trace, released, gate, schema, workspace,
)  # fmt: skip
"""Every module that adds commands, in the order `--help` lists them."""

if __name__ == "__main__":
    app()
