"""What the API's objects stand for: states (pure metadata) over ops (lazy file systems, keyed by content)."""
