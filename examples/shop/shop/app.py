"""The application: database, metrics, routes, and errors as problem documents."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shop import __version__
from shop.api import router
from shop.database import Database
from shop.errors import ShopError
from shop.metrics import Measured, Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shop.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """An application with its own database and metrics; nothing is global."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = Database(settings.database)
        try:
            yield
        finally:
            app.state.database.close()

    app = FastAPI(title="shop", version=__version__, lifespan=lifespan)
    app.state.metrics = Metrics()
    app.add_middleware(Measured, metrics=app.state.metrics)
    app.add_exception_handler(ShopError, _shop_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(sqlite3.OperationalError, _busy)
    app.include_router(router)
    return app


def problem(status: int, code: str, detail: str) -> JSONResponse:
    """A problem document (RFC 9457)."""
    body = {"type": f"urn:shop:{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _shop_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ShopError)
    return problem(error.status, error.code, str(error))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    detail = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail)


def _busy(_request: Request, error: Exception) -> JSONResponse:
    """The database stayed locked for longer than a request waits."""
    logging.getLogger("uvicorn.error").warning("database: %s", error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many orders at once; try again")


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http", str(error.detail))
