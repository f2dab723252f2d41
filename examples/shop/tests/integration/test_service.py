"""Against the running service, over the network, as a client sees it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BUYERS = 8


@pytest.fixture
def shop() -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=os.environ.get("SHOP_URL", "http://shop:8000"), timeout=10, trust_env=False) as client:
        yield client


def cart_with(shop: httpx2.Client, sku: str, quantity: int) -> str:
    cart = str(shop.post("/carts").raise_for_status().json()["id"])
    shop.put(f"/carts/{cart}/lines/{sku}", json={"quantity": quantity}).raise_for_status()
    return cart


def buy(shop: httpx2.Client, cart: str, key: str | None = None) -> httpx2.Response:
    body = {"cart_id": cart, "country": "DE", "email": "ada@example.com"}
    return shop.post("/checkout", json=body, headers={"Idempotency-Key": key or uuid4().hex})


def test_it_is_healthy(shop: httpx2.Client) -> None:
    assert shop.get("/healthz").json()["status"] == "ok"


def test_from_catalogue_to_order(shop: httpx2.Client) -> None:
    sku = shop.get("/products").json()[0]["sku"]
    order = buy(shop, cart_with(shop, sku, 2))
    assert order.status_code == 201
    assert shop.get(f"/orders/{order.json()['id']}").json() == order.json()


def test_one_key_used_by_many_at_once_is_one_order(shop: httpx2.Client) -> None:
    cart, key = cart_with(shop, "mug", 1), uuid4().hex
    with ThreadPoolExecutor(BUYERS) as pool:
        answers = list(pool.map(lambda _: buy(shop, cart, key), range(BUYERS)))
    assert sorted(answer.status_code for answer in answers) == [200] * (BUYERS - 1) + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_the_last_pieces_are_sold_once(shop: httpx2.Client) -> None:
    left = shop.get("/products/limited-print").json()["stock"]
    each = max(left // 4, 1)
    carts = [cart_with(shop, "limited-print", each) for _ in range(BUYERS)]
    with ThreadPoolExecutor(BUYERS) as pool:
        answers = list(pool.map(lambda cart: buy(shop, cart), carts))
    sold = [answer.status_code for answer in answers].count(201)
    assert sold == left // each
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert shop.get("/products/limited-print").json()["stock"] == left - sold * each


def test_metrics_show_checkout_latency(shop: httpx2.Client) -> None:
    buy(shop, cart_with(shop, "mug", 1))
    assert 'http_request_duration_seconds_bucket{le="0.25",method="POST",route="/checkout",status="201"}' in shop.get("/metrics").text
