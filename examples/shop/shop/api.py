"""The routes. Handlers are plain functions: the framework runs them in threads, which suits a database file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shop import __version__, carts, catalogue, checkout
from shop.database import Database
from shop.metrics import Metrics
from shop.schemas import Cart, CheckoutRequest, Order, Product, Quantity  # noqa: TC001 - FastAPI reads the annotations at run time

router = APIRouter()


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


Db = Annotated[Database, Depends(_database)]
Measures = Annotated[Metrics, Depends(_metrics)]
IdempotencyKey = Annotated[str, Header(min_length=8, max_length=100)]


@router.get("/healthz")
def healthz(database: Db) -> dict[str, str]:
    """Up and able to read the database."""
    database.read().execute("SELECT 1 FROM products LIMIT 1").fetchone()
    return {"status": "ok", "version": __version__}


@router.get("/metrics")
def metrics(measures: Measures) -> Response:
    return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/products")
def list_products(database: Db) -> list[Product]:
    return catalogue.list_products(database)


@router.get("/products/{sku}")
def get_product(database: Db, sku: str) -> Product:
    return catalogue.get_product(database, sku)


@router.post("/carts", status_code=status.HTTP_201_CREATED)
def create_cart(database: Db) -> Cart:
    return carts.create(database)


@router.get("/carts/{cart_id}")
def get_cart(database: Db, cart_id: str) -> Cart:
    return carts.get(database, cart_id)


@router.put("/carts/{cart_id}/lines/{sku}")
def put_line(database: Db, cart_id: str, sku: str, body: Quantity) -> Cart:
    return carts.put_line(database, cart_id, sku, body.quantity)


@router.post("/checkout", status_code=status.HTTP_201_CREATED)
def buy(database: Db, measures: Measures, body: CheckoutRequest, idempotency_key: IdempotencyKey, response: Response) -> Order:
    """Needs the header Idempotency-Key: the same request under the same key gives the same order, once."""
    outcome = checkout.checkout(database, body, idempotency_key)
    if outcome.replayed:
        response.status_code = status.HTTP_200_OK
    else:
        measures.orders.labels(outcome.order.country).inc()
        measures.order_cents.inc(outcome.order.total_cents)
    return outcome.order


@router.get("/orders/{order_id}")
def get_order(database: Db, order_id: str) -> Order:
    return checkout.get(database, order_id)
