"""What can go wrong for a customer; each becomes a problem document (RFC 9457) with its status."""

from __future__ import annotations

from http import HTTPStatus


class ShopError(Exception):
    """Base: `code` is stable and for programs, the message is for people."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad-request"


class NotFoundError(ShopError):
    status = HTTPStatus.NOT_FOUND
    code = "not-found"


class CartClosedError(ShopError):
    """The cart was bought already."""

    status = HTTPStatus.CONFLICT
    code = "cart-closed"


class CartEmptyError(ShopError):
    status = HTTPStatus.CONFLICT
    code = "cart-empty"


class OutOfStockError(ShopError):
    status = HTTPStatus.CONFLICT
    code = "out-of-stock"


class UnknownCountryError(ShopError):
    """We do not ship there."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unknown-country"


class IdempotencyError(ShopError):
    """The key was used for another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency-key-reused"
