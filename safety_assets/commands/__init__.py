"""The commands of `safety-assets`, one file per subject."""
