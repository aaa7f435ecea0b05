"""Personal data and secrets in text, one file per family of forms."""
