"""Settings from the environment, with defaults that suit the container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """SHOP_DATABASE, SHOP_HOST, SHOP_PORT, SHOP_LOG_LEVEL, SHOP_GRACE_S (seconds for requests in flight when stopping)."""

    database: Path = Path("/var/lib/shop/shop.db")
    host: str = "0.0.0.0"  # a container's port is opened by whoever runs it
    port: int = 8000
    log_level: str = "info"
    grace_s: int = 10

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        default = cls()
        return cls(
            database=Path(environ.get("SHOP_DATABASE") or default.database),
            host=environ.get("SHOP_HOST") or default.host,
            port=int(environ.get("SHOP_PORT") or default.port),
            log_level=(environ.get("SHOP_LOG_LEVEL") or default.log_level).lower(),
            grace_s=int(environ.get("SHOP_GRACE_S") or default.grace_s),
        )
