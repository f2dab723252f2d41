"""The control groups of a session and of its containers."""
