"""Alerts: what happened, in words, and its way to the people whom it concerns. No Dagster."""
