"""A small shop: catalogue, carts, checkout."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("shop")
