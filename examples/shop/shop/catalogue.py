"""Products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.errors import NotFoundError
from shop.schemas import Product

if TYPE_CHECKING:
    from shop.database import Database


def list_products(database: Database) -> list[Product]:
    rows = database.read().execute("SELECT * FROM products ORDER BY sku")
    return [Product(**row) for row in rows]


def get_product(database: Database, sku: str) -> Product:
    """Raises NotFoundError."""
    row = database.read().execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no product {sku}")
    return Product(**row)
