"""Load, generate, likelihoods and checkpoints of causal language models. Knows nothing of safety."""
