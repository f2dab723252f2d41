from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shop import __version__
from shop.app import create_app
from shop.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2
    from fastapi.testclient import TestClient


def fill_cart(client: TestClient) -> str:
    cart = client.post("/carts").json()["id"]
    assert client.put(f"/carts/{cart}/lines/mug", json={"quantity": 2}).status_code == 200
    return str(cart)


def buy(client: TestClient, cart: str, key: str = "key-0001") -> httpx2.Response:
    body = {"cart_id": cart, "country": "NL", "email": "ada@example.com"}
    return client.post("/checkout", json=body, headers={"Idempotency-Key": key})


def test_healthz_says_which_version(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}


def test_checkout_answers_201_then_200(client: TestClient) -> None:
    cart = fill_cart(client)
    first, again = buy(client, cart), buy(client, cart)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert client.get(f"/orders/{first.json()['id']}").json() == first.json()


@pytest.mark.parametrize(
    ("request_line", "body", "status", "code"),
    [
        ("GET /products/teapot", None, 404, "not-found"),
        ("GET /carts/nothing", None, 404, "not-found"),
        ("GET /orders/nothing", None, 404, "not-found"),
        ("GET /nowhere", None, 404, "http"),
        ("DELETE /products", None, 405, "http"),
        ("POST /checkout", {"cart_id": "x"}, 422, "invalid-request"),
        ("PUT /carts/x/lines/mug", {"quantity": -1}, 422, "invalid-request"),
    ],
)
def test_errors_are_problem_documents(client: TestClient, request_line: str, body: object, status: int, code: str) -> None:
    answer = client.request(*request_line.split(), json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:shop:{code}"
    assert answer.json()["detail"]


def test_metrics_count_by_route_not_by_path(client: TestClient) -> None:
    buy(client, fill_cart(client))
    client.get("/nowhere/1")
    client.get("/nowhere/2")
    text = client.get("/metrics").text
    assert 'http_request_duration_seconds_count{method="POST",route="/checkout",status="201"} 1.0' in text
    assert 'http_request_duration_seconds_count{method="GET",route="other",status="404"} 2.0' in text
    assert 'shop_orders_total{country="NL"} 1.0' in text
    assert "nowhere" not in text


def test_a_replay_is_no_second_order(client: TestClient) -> None:
    cart = fill_cart(client)
    buy(client, cart)
    buy(client, cart)
    assert 'shop_orders_total{country="NL"} 1.0' in client.get("/metrics").text


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment({"SHOP_DATABASE": str(tmp_path / "x.db"), "SHOP_PORT": "9000", "SHOP_LOG_LEVEL": "WARNING"})
    assert (settings.database, settings.port, settings.log_level) == (tmp_path / "x.db", 9000, "warning")
    assert Settings.from_environment({"SHOP_PORT": ""}).port == 8000
    assert create_app(settings).title == "shop"
