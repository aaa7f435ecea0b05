"""The only place that joins packages: one function per asset."""
