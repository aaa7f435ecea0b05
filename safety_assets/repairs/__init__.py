"""Repairs: weights to weights after training, one file each, shard by shard, usable alone or at the end of a recipe."""
