"""Rows to findings to an audited mix. Polars, no torch."""
