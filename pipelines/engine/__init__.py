"""Which engine runs this: an open session, a Dagger engine, or the embedded one.

Nothing is imported here: the embedded engine's first process starts through this package and must be up at once.
"""
