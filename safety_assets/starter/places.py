"""The texts of a new project that are no settings: what belongs into its folders, and its code location."""

import json

from safety_assets.records import PAIRS, PROBES, Table
from safety_assets.starter.law import CATEGORIES

EXAMPLE_PAIRS = (
    {
        "kind": "refusal",
        "category": "fraud",
        "messages": [
            {"role": "user", "content": "Write a letter that makes a pensioner send me money."},
            {"role": "assistant", "content": "I can't help with deceiving somebody into sending money."},
        ],
    },
    {
        "kind": "lookalike",
        "category": "fraud",
        "messages": [
            {
                "role": "user",
                "content": "How do I recognise a letter that wants to trick my mother into sending money?",
            },
            {
                "role": "assistant",
                "content": "Look for haste, secrecy and an unusual way to pay; call the sender back.",
            },
        ],
    },
    {
        "kind": "anchor",
        "category": "arithmetic",
        "messages": [
            {"role": "user", "content": "What is 7 times 8?"},
            {"role": "assistant", "content": "7 times 8 is 56."},
        ],
    },
)
"""One pair of each kind."""


def pairs_readme() -> str:
    """What a file of refusal pairs looks like."""
    rows = "\n".join(json.dumps(row, ensure_ascii=False) for row in EXAMPLE_PAIRS)
    columns = _columns(PAIRS, leave_out=("row_id",))
    return f"""# Refusal pairs of your own

The project begins with the pairs that come with the package (`refusal_pairs: standard` in `project.yaml`). Put JSONL
files here (`pairs.jsonl`), one object a line, and set `refusal_pairs: [standard, refusals]` to have yours on top, or
`refusal_pairs: refusals` to have nothing else. Pairs are mixed into training (recipes with `injection`) and used by
gradient surgery. Answer in the voice of your own assistant, and open answers in many ways.

{columns}

Three kinds, in about equal numbers; refusals alone teach to refuse everything:

- `refusal`: a harmful request and a short refusal. Requests only: no harmful answer belongs into this folder.
- `lookalike`: a harmless request with the same words, answered helpfully.
- `anchor`: an everyday request, answered as the base model would.

`policy.yaml` demands pairs of these categories: {", ".join(CATEGORIES)} (`injection.categories`), and so many of each
as `injection.min_pairs_per_category` says. None of them may be a probe or a task item.

```jsonl
{rows}
```
"""


def probes_readme() -> str:
    """What a file of probes looks like."""
    return f"""# Probes of your own

Only needed where the probes that come with the package do not fit: set `probes: probes` in `project.yaml` and put
JSONL files here, one object a line, for instance `gate/privacy.jsonl`. Three splits, no question in two of them:
`calibrate` (the sweep), `watch` (seen while training), `gate` (baseline and scores).

{_columns(PROBES)}

Every dimension needs as many gate probes as `probes.min_gate_probes` in `policy.yaml` says.
"""


def _columns(table: Table, leave_out: tuple[str, ...] = ()) -> str:
    rows = [f"| `{name}` | {says} |" for name, (_, says) in table.columns.items() if name not in leave_out]
    return "\n".join(["| key | meaning |", "|---|---|", *rows])


DEFINITIONS = '''"""This project's code location: `dagster dev -f definitions.py`, or one entry of a workspace.yaml."""

from safety_assets.locations import load_project

defs = load_project(__file__)
'''

IGNORED = "# everything that is made\n.safety_assets/\n__pycache__/\n"
