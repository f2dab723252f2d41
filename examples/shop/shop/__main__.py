"""`python -m shop`: serve until SIGTERM, then finish the requests in flight."""

from __future__ import annotations

import os

import uvicorn

from shop.app import create_app
from shop.settings import Settings


def main() -> None:
    settings = Settings.from_environment(os.environ)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=False,  # /metrics counts requests
        timeout_graceful_shutdown=settings.grace_s,
    )


if __name__ == "__main__":
    main()
