"""Plain values: an op as a recipe with a digest, and the states of API objects that hold ops. Nothing here does work."""
