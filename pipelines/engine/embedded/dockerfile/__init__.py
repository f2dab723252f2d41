"""Dockerfiles: text in, a typed build plan out. Syntax by the official parser (PyPI ``dockerfile``), semantics ours."""
