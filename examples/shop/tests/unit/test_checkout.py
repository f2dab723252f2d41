from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shop import carts, catalogue
from shop.checkout import checkout
from shop.errors import CartClosedError, CartEmptyError, IdempotencyError, OutOfStockError, UnknownCountryError
from shop.schemas import CheckoutRequest

if TYPE_CHECKING:
    from shop.database import Database


def request(database: Database, lines: dict[str, int], country: str = "DE") -> CheckoutRequest:
    cart = carts.create(database)
    for sku, quantity in lines.items():
        carts.put_line(database, cart.id, sku, quantity)
    return CheckoutRequest(cart_id=cart.id, country=country, email="ada@example.com")


def stock(database: Database, sku: str) -> int:
    return catalogue.get_product(database, sku).stock


def test_an_order_takes_stock_and_closes_the_cart(database: Database) -> None:
    before = stock(database, "mug")
    bought = request(database, {"mug": 3, "filter-100": 1})
    order = checkout(database, bought, "key-0001").order
    assert (order.subtotal_cents, order.shipping_cents, order.tax_cents) == (4800, 495, 1006)
    assert order.total_cents == 6301
    assert stock(database, "mug") == before - 3
    assert carts.get(database, bought.cart_id).closed


def test_the_same_key_gives_the_same_order_and_takes_stock_once(database: Database) -> None:
    bought = request(database, {"mug": 1})
    first, before = checkout(database, bought, "key-0001"), stock(database, "mug")
    second = checkout(database, bought, "key-0001")
    assert (first.replayed, second.replayed) == (False, True)
    assert second.order == first.order
    assert stock(database, "mug") == before


def test_a_key_is_not_shared_by_two_requests(database: Database) -> None:
    checkout(database, request(database, {"mug": 1}), "key-0001")
    with pytest.raises(IdempotencyError):
        checkout(database, request(database, {"mug": 1}), "key-0001")


def test_too_little_stock_changes_nothing(database: Database) -> None:
    before = stock(database, "mug")
    wanted = request(database, {"limited-print": 21, "mug": 1})
    with pytest.raises(OutOfStockError, match="limited-print"):
        checkout(database, wanted, "key-0001")
    assert (stock(database, "mug"), stock(database, "limited-print")) == (before, 20)
    assert not carts.get(database, wanted.cart_id).closed


def test_a_failed_key_can_be_used_again(database: Database) -> None:
    wanted = request(database, {"limited-print": 21})
    with pytest.raises(OutOfStockError):
        checkout(database, wanted, "key-0001")
    carts.put_line(database, wanted.cart_id, "limited-print", 20)
    assert not checkout(database, wanted, "key-0001").replayed
    assert stock(database, "limited-print") == 0


def test_a_cart_is_bought_once(database: Database) -> None:
    bought = request(database, {"mug": 1})
    checkout(database, bought, "key-0001")
    with pytest.raises(CartClosedError):
        checkout(database, bought, "key-0002")
    with pytest.raises(CartClosedError):
        carts.put_line(database, bought.cart_id, "mug", 2)


def test_an_empty_cart_and_a_country_we_do_not_know(database: Database) -> None:
    with pytest.raises(CartEmptyError):
        checkout(database, request(database, {}), "key-0001")
    with pytest.raises(UnknownCountryError):
        checkout(database, request(database, {"mug": 1}, country="US"), "key-0002")
