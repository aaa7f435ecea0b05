"""Fine-tuning language models without losing their safety alignment, as Dagster assets."""
