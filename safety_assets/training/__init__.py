"""Recipe to batches to loop to checkpoint."""
