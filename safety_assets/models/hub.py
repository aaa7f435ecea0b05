"""A model of the Hugging Face hub at one pinned revision, as a local folder.

The network is used here and nowhere else, and only for what the cache does not hold yet.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from safety_assets.errors import ModelError
from safety_assets.models.identity import ADAPTER_CONFIG, CONFIGURATION, MADE, TEMPLATE, TOKENIZER
from safety_assets.models.weights import INDEX

HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@([0-9a-f]{40})")
TOKEN_VARIABLE = "HF_TOKEN"
FILES = (
    "model*.safetensors", INDEX, *CONFIGURATION, *TOKENIZER, *TEMPLATE, MADE, "adapter_model.safetensors",
    ADAPTER_CONFIG,
)  # fmt: skip
"""All that is ever downloaded: weights, JSON, tokenizer and templates; neither pickles nor code."""


@dataclass(frozen=True)
class HubModel:
    """A model on the hub.

    Args:
        name: organisation/name.
        revision: full commit hash, 40 hex digits.
    """

    name: str
    revision: str


def parse_hub_id(text: str) -> HubModel | None:
    """The model that `organisation/name@revision` names; None when the text has another form."""
    found = HUB_ID.fullmatch(text)
    return HubModel(found[1], found[2]) if found else None


def fetch(wanted: HubModel) -> Path:
    """The folder of a hub model, downloaded unless the cache holds all of it.

    The access token is that of HF_TOKEN; without it none is sent.

    Raises:
        ModelError: the hub refuses, does not have it or cannot be reached, and the cache does not hold all of it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    place = f"{wanted.name}@{wanted.revision[:12]}"
    try:
        return Path(
            snapshot_download(
                wanted.name, revision=wanted.revision, allow_patterns=list(FILES),
                token=os.environ.get(TOKEN_VARIABLE) or False,
            )
        )  # fmt: skip
    except GatedRepoError as error:
        raise _refused(f"the hub does not give {place} to everyone", error, f"accept its terms; {ASK}") from error
    except RevisionNotFoundError as error:
        raise _refused(f"{wanted.name} has no revision {wanted.revision}", error, "name one of its commits") from error
    except RepositoryNotFoundError as error:
        raise _refused(
            f"the hub shows no {wanted.name}", error, f"correct the name; if it is private, {ASK}"
        ) from error
    except Exception as error:  # whatever the client raises: without all files there is no model
        do = "connect to the network once, or put the snapshot into the cache (HF_HOME)"
        raise _refused(f"{place} cannot be fetched and is not wholly in the cache", error, do) from error


def is_denied(error: ModelError) -> bool:
    """Whether the hub itself said that it has no such model or revision.

    False where it could not be asked, and where it has the model and wants its terms accepted first.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    cause = error.__cause__
    return isinstance(cause, RepositoryNotFoundError | RevisionNotFoundError) and not isinstance(cause, GatedRepoError)


ASK = f"put a token that may read it into the environment variable {TOKEN_VARIABLE}"


def _refused(found: str, error: Exception, do: str) -> ModelError:
    """The client's own words are cut to their kind: they may hold addresses with credentials in them."""
    return ModelError(f"{found} ({type(error).__name__})", expected="a model at a pinned revision", do=do)
