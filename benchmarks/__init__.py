"""The measured claims, one file each: `python -m benchmarks.NAME`. The last line printed is JSON."""
