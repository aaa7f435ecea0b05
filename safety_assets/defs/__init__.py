"""Dagster: one file per group, thin."""
