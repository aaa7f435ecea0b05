"""Pools of refusal pairs that come with the package. `standard`: plain English, for any instruction-tuned model."""

from pathlib import Path

STANDARD = Path(__file__).resolve().parent / "standard"
"""Folder of the pairs in plain English: <category>.jsonl and the general anchors. Written by `pools.build`."""
