"""Scores in the formats of other tools, and theirs in ours."""
