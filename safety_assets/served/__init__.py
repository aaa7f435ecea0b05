"""Models and judges that answer over HTTP: the way there, what can fail on it, and what it gives back."""
