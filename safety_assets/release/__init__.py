"""Verdicts, decision, model card, ledger. No torch."""
