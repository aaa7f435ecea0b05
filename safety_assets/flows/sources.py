"""The sources of a project by content digest: what an asset read that is not an asset itself.

What reads a corpus, signatures or reviews is imported where they are read: scoring a model again takes less time.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from safety_assets.datafiles import DataFiles
from safety_assets.errors import ProjectError
from safety_assets.figure_specs import CEILINGS
from safety_assets.flows import models
from safety_assets.measures import Judges
from safety_assets.project import Project
from safety_assets.settings import Settings
from safety_assets.store import WHOLE, digest_file, digest_folder, digest_json
from safety_assets.task_metric import compares_likelihoods


def source_digest(project: Project, source: str, partition: str = WHOLE) -> str:
    """Content digest of a source as it is on disk now.

    Args:
        source: a name that stands in `sources` of a node of the graph.
        partition: the recipe's name, for the source of a partitioned asset.
    """
    if source == "recipe_file":
        return said_digest(project.recipe(partition).weights_decided_by)
    return SOURCES[source](project)


def digest_settings(settings: Settings) -> str:
    """Digest of a settings object: its values, not the spelling or comments of its file."""
    return digest_json(settings.model_dump(mode="json"))


def said_digest(settings: Settings) -> str:
    """Digest of what a policy or recipe says that is no default: a setting that a later version adds changes nothing.

    A default that a later version changes is no edit either: verdicts are always recomputed under what holds now.
    """
    return digest_json(settings.model_dump(mode="json", exclude_defaults=True))


def files_digest(*paths: Path) -> str:
    """Digest over name and content of files and folders."""
    found: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise ProjectError(f"{path} does not exist", expected="a file or folder", do="correct project.yaml")
        found |= digest_folder(path) if path.is_dir() else {path.name: digest_file(path)}
    return digest_json(found)


def data_digest(given: Sequence[DataFiles]) -> str:
    """Digest over name and content of the files that are read, in order, and over what their columns are called."""
    from safety_assets.corpus.files import source_files

    files = [(source.name, digest_file(source.path)) for source in source_files(given)]
    columns = [part.model_dump(mode="json", include={"columns"}) for part in given]
    return digest_json([files, columns])


def model_digest(folder: Path) -> str:
    """Identity digest of a model folder."""
    from safety_assets.models.identity import identify

    return identify(folder).digest


def _pretrained(project: Project) -> str:
    folder = models.pretrained(project)
    return model_digest(folder) if folder else ""


def _encoder(project: Project) -> str:
    """Identity of the encoder that closeness is measured with; empty without one."""
    rule = project.policy().corpus.closeness
    return files_digest(project.path(rule.embedding_model)) if rule and rule.embedding_model else ""


def _budgets(project: Project) -> str:
    return digest_json({name: rule.certify_within for name, rule in project.policy().dimensions.items()})


def _figures(project: Project) -> str:
    """What is measured beside the scores; another ceiling measures nothing anew."""
    policy = project.policy()
    given = [policy.exposure, policy.agreement, policy.serving if policy.serving.budgets else None]
    return digest_json([rule.model_dump(mode="json", exclude=set(CEILINGS)) if rule else None for rule in given])


def _apart(project: Project) -> str:
    """What is asked beside the headline, and how: nothing by default."""
    law = project.policy().probes
    asked = law.model_dump(mode="json", include={"wrappers", "in_domain"} | ({"wrapped"} if law.wrappers else set()))
    return digest_json([asked, project.settings.system_prompt if law.in_domain else None])


def _judges(project: Project) -> str:
    """The second judge that the policy demands, and how much of what it agrees to is read; nothing by default."""
    policy = project.policy()
    rule = policy.judges
    if rule is None:
        return ""
    said = rule.model_dump(mode="json", exclude={"max_disagreement": True, "rail": {"max_credits"}}, exclude_none=True)
    return digest_json([said, policy.risk == "high", _second_judge(project, rule)])


def _second_judge(project: Project, rule: Judges) -> list[str]:
    """What it is beside its place: its files, or how RAIL is asked; an endpoint has neither."""
    if rule.second == "endpoint":
        return []
    if rule.second != "rail":
        return [files_digest(project.path(rule.where))]
    asked = project.settings.rail
    return [digest_json(asked.model_dump(mode="json", exclude={"per_minute", "dimensions"}))] if asked else []


def _reviewed(project: Project) -> str:
    """What people said of answers; it counts only where the policy demands a second judge."""
    from safety_assets.flows.read_answers import read_reviewed

    return digest_json(read_reviewed(project)) if project.policy().judges else ""


def _task_file(project: Project) -> str:
    """The task file; without one, everything that decides which rows are held out and fit to be asked."""
    rule = project.settings.task_answer
    reads = [digest_settings(rule) if rule else ""]
    if project.task_set is not None:
        return digest_json([data_digest([project.task_set]), *reads])
    held_out_of = [data_digest(project.corpus), data_digest(project.refusal_pairs)]
    return digest_json([*held_out_of, said_digest(project.policy().corpus), *reads])


def _answering(project: Project) -> str:
    """What decides how a model is asked. Of the task's metric only what is asked: marking anew asks nothing anew."""
    settings = project.settings
    compared = settings.task_metric.model_dump(mode="json") if compares_likelihoods(settings.task_metric) else None
    return digest_json({"max_new_tokens": settings.max_new_tokens, "compared": compared, "quantise": settings.quantise})


def _decisions(project: Project) -> str:
    """Digest of what a steward decided, in whatever order; the same without a file as with an empty one."""
    from safety_assets.corpus.decisions import COLUMNS, read_decisions

    decided = read_decisions(project.decisions).sort("row_id", "finding")
    return digest_json(decided.select(COLUMNS).to_dicts())


def _refusal_files(project: Project) -> str:
    from safety_assets.corpus.pairs import pair_files

    return data_digest(pair_files(project.refusal_pairs))


def _labels(project: Project) -> str:
    """Digest of the labels that people gave, in whatever order; the same without a file as with an empty one."""
    from safety_assets.corpus.labels import read_labels

    return digest_json(read_labels(project.labels).sort("row_id").to_dicts())


def _signed(project: Project) -> str:
    from safety_assets.flows.signed import signed_digest

    return signed_digest(project)


SOURCES: dict[str, Callable[[Project], str]] = {
    "task_file": _task_file,
    "policy_file": lambda p: said_digest(p.policy()),
    "policy.corpus": lambda p: said_digest(p.policy().corpus),
    "policy.injection": lambda p: said_digest(p.policy().injection),
    "policy.budgets": _budgets,
    "policy.figures": _figures,
    "policy.apart": _apart,
    "policy.judges": _judges,
    "reviewed": _reviewed,
    "recipe.calibration": lambda p: said_digest(p.recipe(p.policy().injection.recipe).weights_decided_by),
    "decisions": _decisions,
    "labels": _labels,
    "corpus_files": lambda p: data_digest(p.corpus),
    "refusal_files": _refusal_files,
    "probe_files": lambda p: files_digest(p.probes),
    "model_files": lambda p: model_digest(models.base(p)),
    "model_makers": lambda p: digest_json(models.makers(p)),
    "anchor_files": lambda p: model_digest(models.anchor(p)),
    "pretrained_files": _pretrained,
    "encoder_files": _encoder,
    "answering": _answering,
    "task_metric": lambda p: digest_settings(p.settings.task_metric),
    "signed": _signed,
}
