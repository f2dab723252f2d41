from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shop import carts
from shop.errors import NotFoundError

if TYPE_CHECKING:
    from shop.database import Database


def test_lines_are_set_replaced_and_taken_out(database: Database) -> None:
    cart = carts.create(database)
    carts.put_line(database, cart.id, "mug", 2)
    carts.put_line(database, cart.id, "kettle", 1)
    cart = carts.put_line(database, cart.id, "mug", 5)
    assert [(line.sku, line.quantity) for line in cart.lines] == [("kettle", 1), ("mug", 5)]
    cart = carts.put_line(database, cart.id, "kettle", 0)
    assert [line.sku for line in cart.lines] == ["mug"]


def test_unknown_product_leaves_the_cart_as_it_was(database: Database) -> None:
    cart = carts.create(database)
    with pytest.raises(NotFoundError, match="teapot"):
        carts.put_line(database, cart.id, "teapot", 1)
    assert carts.get(database, cart.id).lines == []


def test_unknown_cart(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no cart"):
        carts.get(database, "nothing")
