"""What an order costs: pure functions over whole cents, so that nothing is lost to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from shop.errors import UnknownCountryError

if TYPE_CHECKING:
    from collections.abc import Sequence

TAX_PERCENT = {"AT": Decimal(20), "CH": Decimal("8.1"), "DE": Decimal(19), "FR": Decimal(20), "NL": Decimal(21)}
QUANTITY_DISCOUNT = ((50, 10), (10, 5))  # from so many of one product: so many percent off its line
SHIPPING_CENTS = 495
FREE_SHIPPING_CENTS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A product in an order; `unit_cents` without tax."""

    sku: str
    quantity: int
    unit_cents: int

    @property
    def cents(self) -> int:
        """The line's price after its quantity discount."""
        percent = next((off for least, off in QUANTITY_DISCOUNT if self.quantity >= least), 0)
        return _round(Decimal(self.unit_cents * self.quantity * (100 - percent)) / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All in cents; `total` is the sum of the other three."""

    subtotal: int
    shipping: int
    tax: int

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping + self.tax


def price(lines: Sequence[Line], country: str) -> Total:
    """Price an order shipped to a country (ISO 3166 code); tax is due on goods and shipping.

    Raises:
        UnknownCountryError: we do not ship there.
    """
    if country not in TAX_PERCENT:
        raise UnknownCountryError(f"we do not ship to {country}; we ship to {', '.join(TAX_PERCENT)}")
    subtotal = sum(line.cents for line in lines)
    shipping = 0 if subtotal >= FREE_SHIPPING_CENTS else SHIPPING_CENTS
    return Total(subtotal=subtotal, shipping=shipping, tax=_round((subtotal + shipping) * TAX_PERCENT[country] / 100))


def _round(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))
