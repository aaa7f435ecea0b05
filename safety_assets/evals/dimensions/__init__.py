"""The eight dimensions, one file each: what is measured and how its metrics combine."""
