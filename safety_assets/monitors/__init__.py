"""Instruments that look at a model in training, one per file."""
