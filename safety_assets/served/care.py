"""How patiently an endpoint is asked. Without the client that asks, which every reader of a project would load."""

from pydantic import Field

from safety_assets.settings import Settings


class Care(Settings):
    """How an endpoint is treated. In project.yaml: `endpoints`."""

    concurrency: int = Field(8, ge=1, le=256, description="requests under way at once")
    timeout: float = Field(120.0, gt=0, description="seconds that an answer may keep silent before it counts as lost")
    tries: int = Field(6, ge=1, le=20, description="times that a request is sent before its answer counts as lost")
    backoff: float = Field(
        0.5, ge=0, description="seconds before the third try, doubled from try to try, up to as many added at random"
    )
    longest_wait: float = Field(
        60.0, gt=0, description="seconds between two tries at most, whatever the server's Retry-After asks for"
    )
    give_up_after: int = Field(
        24, ge=1, description="requests lost in a row after which the rest of a batch is not sent"
    )
