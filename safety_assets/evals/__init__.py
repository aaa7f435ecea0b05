"""Probes to responses to scores. No torch: the generator is handed in."""
