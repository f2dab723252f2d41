"""Checkout: reserve the stock, price the order, write it down, close the cart; all of it or none, and once per idempotency key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from shop import carts
from shop.errors import CartClosedError, CartEmptyError, IdempotencyError, NotFoundError, OutOfStockError
from shop.pricing import Line, price
from shop.schemas import CheckoutRequest, Order, OrderLine

if TYPE_CHECKING:
    import sqlite3

    from shop.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`replayed`: the order existed already under this key."""

    order: Order
    replayed: bool


def checkout(database: Database, request: CheckoutRequest, key: str) -> Outcome:
    """Buy a cart.

    Raises:
        NotFoundError, CartClosedError, CartEmptyError, OutOfStockError, UnknownCountryError: nothing was changed.
        IdempotencyError: the key belongs to another request.
    """
    with database.write() as connection:
        known = connection.execute("SELECT request, order_id FROM idempotency WHERE key = ?", (key,)).fetchone()
        if known is not None:
            if known["request"] != request.model_dump_json():
                raise IdempotencyError("this idempotency key was used for another request")
            return Outcome(order=load(connection, known["order_id"]), replayed=True)
        order_id = _place(connection, request)
        connection.execute("INSERT INTO idempotency VALUES (?, ?, ?)", (key, request.model_dump_json(), order_id))
        return Outcome(order=load(connection, order_id), replayed=False)


def get(database: Database, order_id: str) -> Order:
    """Raises NotFoundError."""
    return load(database.read(), order_id)


def load(connection: sqlite3.Connection, order_id: str) -> Order:
    row = connection.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no order {order_id}")
    lines = connection.execute("SELECT sku, quantity, unit_cents FROM order_lines WHERE order_id = ? ORDER BY sku", (order_id,))
    return Order(**row, lines=[OrderLine(**line) for line in lines])


def _place(connection: sqlite3.Connection, request: CheckoutRequest) -> str:
    cart = carts.load(connection, request.cart_id)
    if cart.closed:
        raise CartClosedError(f"cart {cart.id} was bought already")
    if not cart.lines:
        raise CartEmptyError(f"cart {cart.id} is empty")
    lines = [Line(sku=line.sku, quantity=line.quantity, unit_cents=line.unit_cents) for line in cart.lines]
    total = price(lines, request.country)
    _reserve(connection, lines)
    order_id, created = uuid4().hex, dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    amounts = (total.subtotal, total.shipping, total.tax)
    connection.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (order_id, cart.id, request.country, request.email, *amounts, created)
    )
    connection.executemany(
        "INSERT INTO order_lines VALUES (?, ?, ?, ?)", [(order_id, line.sku, line.quantity, line.unit_cents) for line in lines]
    )
    connection.execute("UPDATE carts SET closed = 1 WHERE id = ?", (cart.id,))
    return order_id


def _reserve(connection: sqlite3.Connection, lines: list[Line]) -> None:
    for line in lines:
        taken = connection.execute(
            "UPDATE products SET stock = stock - :quantity WHERE sku = :sku AND stock >= :quantity",
            {"sku": line.sku, "quantity": line.quantity},
        )
        if not taken.rowcount:
            raise OutOfStockError(f"fewer than {line.quantity} of {line.sku} are left")
