"""Probe suites that come with the package. `standard`: plain English, for any instruction-tuned model."""

from pathlib import Path

STANDARD = Path(__file__).resolve().parent / "standard"
"""Folder of the probes in plain English: {calibrate,watch,gate}/<dimension>.jsonl. Written by `suites.build`."""
