"""Carts: open until they are bought."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from shop.errors import CartClosedError, NotFoundError
from shop.schemas import Cart, CartLine

if TYPE_CHECKING:
    import sqlite3

    from shop.database import Database


def create(database: Database) -> Cart:
    cart_id = uuid4().hex
    with database.write() as connection:
        connection.execute("INSERT INTO carts (id) VALUES (?)", (cart_id,))
    return Cart(id=cart_id, closed=False, lines=[])


def get(database: Database, cart_id: str) -> Cart:
    """Raises NotFoundError."""
    return load(database.read(), cart_id)


def put_line(database: Database, cart_id: str, sku: str, quantity: int) -> Cart:
    """Set how many of a product are in the cart; 0 takes it out. Raises NotFoundError, CartClosedError."""
    with database.write() as connection:
        if load(connection, cart_id).closed:
            raise CartClosedError(f"cart {cart_id} was bought already")
        if connection.execute("SELECT 1 FROM products WHERE sku = ?", (sku,)).fetchone() is None:
            raise NotFoundError(f"there is no product {sku}")
        if quantity:
            connection.execute(
                "INSERT INTO cart_lines VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET quantity = excluded.quantity", (cart_id, sku, quantity)
            )
        else:
            connection.execute("DELETE FROM cart_lines WHERE cart_id = ? AND sku = ?", (cart_id, sku))
        return load(connection, cart_id)


def load(connection: sqlite3.Connection, cart_id: str) -> Cart:
    """The cart as this connection sees it. Raises NotFoundError."""
    row = connection.execute("SELECT closed FROM carts WHERE id = ?", (cart_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no cart {cart_id}")
    lines = connection.execute(
        "SELECT sku, quantity, unit_cents FROM cart_lines JOIN products USING (sku) WHERE cart_id = ? ORDER BY sku", (cart_id,)
    )
    return Cart(id=cart_id, closed=bool(row["closed"]), lines=[CartLine(**line) for line in lines])
