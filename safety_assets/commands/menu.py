"""Every command of `safety-assets`: where it stands in `--help`, what it is for, how it is called, how it ends.

Modules are imported when their command is called, not before; so this table is all that `--help` reads.
"""

from dataclasses import dataclass

START, RUN, LOOK, GATE, FILES = "Start", "Run", "Look", "Gate and release", "Files"

USAGE = "2 wrong usage"
STOPPED = "130 interrupted (the same command goes on from what was saved)"


@dataclass(frozen=True)
class Entry:
    """One command.

    Args:
        name: as it is typed; a command of a group has two words and stands in the help of its group alone.
        module: of `safety_assets.commands`, which holds it.
        panel: where `safety-assets --help` shows it.
        summary: one line.
        examples: calls that were tried, each with what it is for behind a `#`.
        exits: exit codes with what they say.
    """

    name: str
    module: str
    panel: str
    summary: str
    examples: tuple[str, ...]
    exits: tuple[str, ...]


MENU = (
    Entry(
        "init", "init", START, "Write a new project, asked for on a terminal.",
        (
            "safety-assets init my-bank  # asks for model, corpus, tasks and risk",
            "safety-assets init my-bank --base-model model --corpus corpus \\\n"
            "      --task-set tasks.jsonl --risk moderate",
            "safety-assets init sums --base-model org/name@0123456789abcdef0123456789abcdef01234567 \\\n"
            "      --corpus gsm8k.jsonl --task-metric numeric --task-answer '####' --risk research --json",
        ),
        ("0 written", "1 an answer cannot be used, or a file is there already", USAGE),
    ),
    Entry(
        "doctor", "doctor", START, "Is everything in place, and what to do where it is not?",
        ("safety-assets doctor", "safety-assets doctor --json  # for a monitor"),
        ("0 it will work", "1 something will not, or the project cannot be read", USAGE),
    ),
    Entry(
        "demo", "materialize", START, "Fine-tune the bundled project twice, and see what the gate says.",
        ("make demo  # sets DAGSTER_HOME and calls safety-assets demo",),
        ("0 shown", "1 it ended before its time", USAGE, STOPPED),
    ),
    Entry(
        "plan", "plan", RUN, "What a recipe will cost here: memory, disk, time.",
        ("safety-assets plan protected", "safety-assets plan protected --json"),
        ("0 it fits", "1 it does not, or it cannot be measured", USAGE, STOPPED),
    ),
    Entry(
        "run", "run", RUN, "From the corpus to the decision on one recipe.",
        (
            "safety-assets run protected --smoke  # minutes: do the parts work together?",
            "safety-assets run protected",
            "safety-assets run protected --release --json",
        ),
        ("0 approved", "1 rejected, refused, or a check is red", USAGE, "3 not certified", STOPPED),
    ),
    Entry(
        "materialize", "materialize", RUN, "Make one asset from what is upstream of it.",
        (
            "safety-assets materialize raw_corpus",
            "safety-assets materialize finetuned_checkpoint --recipe protected",
            "safety-assets materialize raw_corpus --force --json",
        ),
        ("0 made or reused", "1 refused, or a required check is red", USAGE, STOPPED),
    ),
    Entry(
        "proceed", "proceed", RUN, "Let a training go on that its monitor paused.",
        ('safety-assets proceed protected --by "A. Owner" --why "seen; the drop is in one category"',),
        ("0 it may go on", "1 nothing waits, or no reason is given", USAGE),
    ),
    Entry(
        "audit", "audit", RUN, "What is wrong with a corpus, row by row, without a project.",
        (
            "safety-assets audit corpus --findings findings.parquet",
            "safety-assets audit corpus --policy policy.yaml --probes probes --json",
        ),
        ("0 audited, whatever was found", "1 the corpus cannot be read", USAGE),
    ),
    Entry(
        "judge", "judge", RUN, "Do answers refuse? And a judge fitted to your labels.",
        (
            "safety-assets judge answers.jsonl --out verdicts.parquet",
            "safety-assets judge --fit labels.jsonl --out judge.json  # prints held-out figures",
            "safety-assets judge answers.jsonl --model judge.json --out verdicts.parquet --json",
        ),
        ("0 judged or fitted", "1 the labels or the judge cannot be used", USAGE),
    ),
    Entry(
        "score", "score", RUN, "Ask a model a probe set and score its answers.",
        (
            "safety-assets score --model model --probes probes --out base.parquet",
            "safety-assets score --model my-checkpoint --probes probes --out tuned.parquet --json",
            "safety-assets score --model model --probes probes --out base.parquet --wrap all --in-domain --consistency",
            "safety-assets score --responses base.responses.parquet --probes probes --out again.parquet",
        ),
        ("0 scored", "1 the model, the probes or the answers cannot be used", USAGE, STOPPED),
    ),
    Entry(
        "compare", "compare", RUN, "Two models on the same items, from their scores.",
        (
            "safety-assets compare base.parquet tuned.parquet",
            "safety-assets compare base.parquet tuned.parquet --null again.parquet --json",
        ),
        ("0 compared", "1 items, judges or lengths of answers differ", USAGE),
    ),
    Entry(
        "export", "export", RUN, "Scores for Inspect or lm-evaluation-harness.",
        (
            "safety-assets export base.parquet --responses base.responses.parquet --probes probes \\\n"
            "      --to inspect --out base.json",
            "safety-assets export base.parquet --responses base.responses.parquet --probes probes \\\n"
            "      --to lm-eval --out results --json",
        ),
        ("0 written", "1 the files do not belong together", USAGE),
    ),
    Entry(
        "import", "take_in", RUN, "A run of lm-evaluation-harness, for policy.",
        (
            "safety-assets import results --model model",
            "safety-assets import results --model my-checkpoint --json",
        ),
        ("0 taken in", "1 no run, no samples, or of another model", USAGE),
    ),
    Entry(
        "probes", "probes", RUN, "Is a probe set sound, and what can it see?",
        ("safety-assets probes check probes", "safety-assets probes check standard --json"),
        ("0 sound", "1 it has faults, or cannot be read", USAGE),
    ),
    Entry(
        "probes check", "probes", RUN, "Lint a probe set, and the drop it resolves.",
        ("safety-assets probes check probes", "safety-assets probes check standard --json"),
        ("0 sound", "1 it has faults, or cannot be read", USAGE),
    ),
    Entry(
        "review", "review", RUN, "Answers on which judges disagree, for people to label.",
        (
            "safety-assets review sheet answers.jsonl --verdicts ours.parquet --verdicts theirs.parquet \\\n"
            "      --out disagreements.csv",
            "safety-assets review read review.csv --out reviewed.jsonl",
        ),
        ("0 written", "1 a file cannot be used, or is there already", USAGE),
    ),
    Entry(
        "review sheet", "review", RUN, "Write the answers whose judges disagree.",
        (
            "safety-assets review sheet answers.jsonl --verdicts ours.parquet --verdicts theirs.parquet \\\n"
            "      --sample 20 --out disagreements.csv",
        ),
        ("0 written", "1 a file cannot be used, or is there already", USAGE),
    ),
    Entry(
        "review read", "review", RUN, "Take the labels of a filled in sheet, for judge --fit.",
        ("safety-assets review read review.csv --out reviewed.jsonl",),
        ("0 written", "1 the sheet cannot be read", USAGE),
    ),
    Entry(
        "review queue", "review", RUN, "Write the answers of a candidate that wait for a person.",
        ("safety-assets review queue plain --out queue.csv",),
        ("0 written", "1 the candidate was not judged twice, or the file is there already", USAGE),
    ),
    Entry(
        "review record", "review", RUN, "Take the labels of a filled in sheet into the project's scores.",
        ("safety-assets review record review.csv",),
        ("0 recorded", "1 the sheet cannot be read", USAGE),
    ),
    Entry(
        "labels", "labels", RUN, "Rows that people label good or bad.",
        ("safety-assets labels sample --out sheet.csv", "safety-assets labels read sheet.csv"),
        ("0 written", "1 there is no audit, or a file cannot be used", USAGE),
    ),
    Entry(
        "labels sample", "labels", RUN, "Write a sample of the audited corpus for people to label.",
        ("safety-assets labels sample --out sheet.csv",),
        ("0 written", "1 there is no audit, or the file is there already", USAGE),
    ),
    Entry(
        "labels read", "labels", RUN, "Take the labels of a filled in sheet into the project.",
        ("safety-assets labels read sheet.csv",),
        ("0 written", "1 the sheet cannot be read, or there is no audit", USAGE),
    ),
    Entry(
        "status", "status", LOOK, "What is current, red, stale and served, and what ran last.",
        ("safety-assets status", "safety-assets status --json  # for a monitor"),
        ("0 well", "1 the gate would not release again what is served", USAGE),
    ),
    Entry(
        "explain", "explain", LOOK, "Why an asset is red, missing or stale, and what to type next.",
        (
            "safety-assets explain corpus_audit",
            "safety-assets explain release_decision --recipe protected --json",
        ),
        ("0 green, or only warned", "1 something has to be done", USAGE),
    ),
    Entry(
        "trace", "trace", LOOK, "Which checkpoints and releases a row of the corpus went into.",
        ("safety-assets trace 0123456789abcdef", "safety-assets trace 0123456789abcdef --json"),
        ("0 shown", "1 the store knows no such row", USAGE),
    ),
    Entry(
        "sql", "sql", LOOK, "Ask rows, findings and audited corpus in SQL.",
        ("safety-assets sql 'SELECT finding, count(*) FROM findings GROUP BY ALL'",),
        ("0 shown", "1 the question cannot be answered", USAGE),
    ),
    Entry(
        "gate", "gate", GATE, "May a checkpoint that was trained elsewhere be released?",
        (
            "safety-assets gate --base model --tuned my-checkpoint",
            "safety-assets gate --base model --tuned my-checkpoint --report evidence.md",
            "safety-assets gate --base model --tuned my-checkpoint --task tasks.jsonl \\\n"
            "      --policy policy.yaml --probes probes --json",
            "safety-assets gate --base model --tuned http://127.0.0.1:8000/v1#my-model",
        ),
        ("0 approved", "1 rejected", "2 wrong usage, or a file that cannot be read", "3 not certified", STOPPED),
    ),
    Entry(
        "recheck", "recheck", GATE, "Does an endpoint serve the weights that were released?",
        ("safety-assets recheck --endpoint http://127.0.0.1:8000/v1#my-model --json",),
        ("0 the same", "1 different, or nothing is released", USAGE, "3 nothing can be said"),
    ),
    Entry(
        "repair", "repair", GATE, "Repair tuned weights with what the base still holds.",
        (
            "safety-assets repair --method merge --base model --tuned my-checkpoint --out repaired",
            "safety-assets repair --method lox --base model --tuned my-checkpoint \\\n"
            "      --pretrained ancestor --set strength=0.5 --out repaired --json",
        ),
        ("0 written", "1 refused: models that do not fit, a missing ancestor, a folder that is there", USAGE, STOPPED),
    ),
    Entry(
        "decide", "decide", GATE, "What would a draft policy have decided?",
        (
            "safety-assets decide --policy policy.yaml --history",
            "safety-assets decide --policy policy.yaml --history --json",
        ),
        ("0 told", "1 nothing was decided yet, or the draft is wrong", USAGE),
    ),
    Entry(
        "released", "released", GATE, "What serving should load.",
        ("safety-assets released", "safety-assets released --path", "safety-assets released --json"),
        ("0 shown", "1 nothing is released, or it is not what was", USAGE),
    ),
    Entry(
        "promote", "released", GATE, "Move what serving reads to an approved recipe.",
        ("safety-assets promote protected", "safety-assets promote protected --decision 0123456789ab --json"),
        ("0 moved, or it was there already", "1 not approved, stale, red upstream, or another decision", USAGE),
    ),
    Entry(
        "rollback", "released", GATE, "Serve a former release again.",
        ("safety-assets rollback", "safety-assets rollback --to 3 --why 'complaints about refunds'"),
        ("0 moved", "1 there is no such release, or its weights are not whole", USAGE),
    ),
    Entry(
        "history", "released", GATE, "Every move of what serving reads.",
        ("safety-assets history", "safety-assets history --json"),
        ("0 shown", "1 the history was changed by hand", USAGE),
    ),
    Entry(
        "verify", "verify", GATE, "Is a folder of weights the one that was approved?",
        (
            "safety-assets verify model",
            "safety-assets verify model --release release.json --json  # needs no project",
        ),
        ("0 it is what is released", "1 it is not", USAGE, "3 it was released before, and is not what is released now"),
    ),
    Entry(
        "sign", "signing", GATE, "Sign a decision, weights, or the policy.",
        (
            'safety-assets sign protected --reason "Read; the evidence is enough."  # in your role, with your key',
            'safety-assets sign --policy --reason "Budgets as agreed." --key ../signing.pem --json',
        ),
        ("0 signed", "1 there is no such thing, no key, or your role may not", USAGE),
    ),
    Entry(
        "waive", "signing", GATE, "Accept a breach of a supporting dimension, until a day.",
        (
            "safety-assets waive fairness --recipe protected --until 2030-01-31 \\\n"
            '      --reason "Names of one region; mended by then." --key ../signing.pem',
        ),
        ("0 signed", "1 it cannot be waived, no key, or your role may not", USAGE),
    ),
    Entry(
        "dispose", "signing", GATE, "Say what becomes of a lost category.",
        (
            "safety-assets dispose protected safety fraud --accept --until 2030-01-31 \\\n"
            '      --reason "Refused in other words; looked at." --key ../signing.pem',
            'safety-assets dispose protected safety fraud --fix --reason "Another dose." --key ../signing.pem',
        ),
        ("0 signed", "1 nothing was lost there, no key, or your role may not", USAGE),
    ),
    Entry(
        "hold", "signing", GATE, "Hold weights or the project back; lift a hold.",
        (
            'safety-assets hold --project --reason "An incident is looked into." --key ../signing.pem',
            'safety-assets hold --lift 0123456789ab --reason "Found and mended." --key ../signing.pem --json',
        ),
        ("0 signed", "1 there is no such thing, no key, or your role may not", USAGE),
    ),
    Entry(
        "keys", "keys", GATE, "Your signing key.",
        ("safety-assets keys new --key ../signing.pem", "safety-assets keys show --key ../signing.pem"),
        ("0 shown", "1 it cannot be read, or is there already", USAGE),
    ),
    Entry(
        "keys new", "keys", GATE, "Make a private key outside the project.",
        ("safety-assets keys new --key ../signing.pem", "safety-assets keys new --passphrase"),
        ("0 made", "1 it is there already, or cannot be written", USAGE),
    ),
    Entry(
        "keys show", "keys", GATE, "Your public key, and whom the policy names for it.",
        ("safety-assets keys show --key ../signing.pem --json",),
        ("0 shown", "1 it cannot be read", USAGE),
    ),
    Entry(
        "clean-up", "clean_up", FILES, "What nothing refers to any more, and its removal.",
        ("safety-assets clean-up", "safety-assets clean-up --remove --json"),
        ("0 told or removed", "1 what counts cannot be read, or work is under way", USAGE),
    ),
    Entry(
        "new", "new", FILES, "Add a file to the project.",
        ("safety-assets new recipe nightly --like protected",),
        ("0 written", "1 it cannot be, or it is there already", USAGE),
    ),
    Entry(
        "new recipe", "new", FILES, "Another way of fine-tuning, every key explained.",
        ("safety-assets new recipe nightly --like protected",),
        ("0 written", "1 it cannot be, or it is there already", USAGE),
    ),
    Entry(
        "schema", "schema", FILES, "The JSON schema of project.yaml, policy.yaml or a recipe.",
        ("safety-assets schema recipe  # for an editor, or a program that writes recipes",),
        ("0 shown", USAGE),
    ),
    Entry(
        "workspace", "workspace", FILES, "Several projects side by side in one Dagster.",
        ("safety-assets workspace . --output workspace.yaml",),
        ("0 written", "1 they are not apart, or the file is there already", USAGE),
    ),
)  # fmt: skip

INTRODUCTION = "Fine-tune without losing the alignment: from your corpus to a decision you can defend."

WORKED = (
    ("Is this recipe worth a night?", ("safety-assets plan protected", "safety-assets run protected")),
    (
        "May a checkpoint from elsewhere be served?",
        ("safety-assets gate --base model --tuned my-checkpoint --report evidence.md",),
    ),
    (
        "What is wrong, and what do I type next?",
        ("safety-assets status", "safety-assets explain release_decision --recipe protected"),
    ),
)
"""Three questions with the commands that answer them."""


def teaching(entry: Entry) -> str:
    """What stands below the options of a command: examples and exit codes."""
    examples = "\n".join(f"  {example}" for example in entry.examples)
    exits = "\n".join(f"  {exit}" for exit in entry.exits)
    return f"Examples:\n{examples}\n\nExit codes:\n{exits}"


def worked() -> str:
    """What stands below the commands: the worked examples, and what holds for every command."""
    parts = [f"{question}\n" + "\n".join(f"  {line}" for line in lines) for question, lines in WORKED]
    return "\n\n".join([*parts, HOLDS])


HOLDS = (
    "Every command has --help with examples and exit codes, and what prints has --json: one document on stdout, also "
    "when it fails. The project is the folder that SAFETY_ASSETS_PROJECT names, else the one you stand in, else the "
    "bundled one."
)
