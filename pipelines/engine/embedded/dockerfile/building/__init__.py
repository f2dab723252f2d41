"""A plan done: instructions become operations on file systems."""
