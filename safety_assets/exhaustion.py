"""When disk or memory ends in the middle of work: what a library raised, as found, expected, do. No torch.

Libraries say it each in their own way (polars: ComputeError, safetensors: SafetensorError, torch on a CPU: a bare
RuntimeError), so that only their words tell.
"""

import errno

from safety_assets.errors import FileError, SafetyAssetsError, TrainingError

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = ("No space left on device", "Disk quota exceeded")
MEMORY_WORDS = ("out of memory", "allocate memory")


def exhaustion(error: BaseException) -> SafetyAssetsError | None:
    """The error in words where disk or memory ended; None where it is about something else."""
    if disk_ended(error):
        place = getattr(error, "filename", None)
        return FileError(
            f"the disk is full{f' at {place}' if place else ''}",
            expected="room for what is being written; `safety-assets status` says how much is free",
            do="free some, or set storage in project.yaml elsewhere, and call it again: what was finished is kept",
        )
    if memory_ended(error):
        return TrainingError(
            "memory ended in the middle of the work",
            expected="room for the model and what it is asked at once",
            do="free memory, set generation_batch in project.yaml lower, or see what `safety-assets plan` advises",
        )
    return None


def disk_ended(error: BaseException) -> bool:
    """Whether no room is left on a disk, or a quota is used up."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return any(words in str(error) for words in FULL_WORDS)


def memory_ended(error: BaseException) -> bool:
    """Whether memory could not be had."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in MEMORY_WORDS)
