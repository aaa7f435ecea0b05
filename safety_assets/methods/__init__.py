"""One safety-preserving training method per file."""
