from __future__ import annotations

import pytest
from shop.errors import UnknownCountryError
from shop.pricing import FREE_SHIPPING_CENTS, SHIPPING_CENTS, Line, price


def line(quantity: int, unit_cents: int = 100) -> Line:
    return Line(sku="x", quantity=quantity, unit_cents=unit_cents)


@pytest.mark.parametrize(
    ("quantity", "cents"),
    [(1, 100), (9, 900), (10, 950), (49, 4655), (50, 4500), (1000, 90000)],
)
def test_quantity_discount(quantity: int, cents: int) -> None:
    assert line(quantity).cents == cents


def test_discount_rounds_half_a_cent_up() -> None:
    assert line(10, unit_cents=1).cents == 10  # 9.5


def test_tax_is_due_on_goods_and_shipping() -> None:
    total = price([line(1, 1000)], "DE")
    assert (total.subtotal, total.shipping, total.tax) == (1000, SHIPPING_CENTS, 284)  # 19 % of 1495 is 284.05
    assert total.total == 1779


def test_a_fraction_of_a_percent_counts() -> None:
    assert price([line(1, FREE_SHIPPING_CENTS)], "CH").tax == 405  # 8.1 % of 5000


def test_shipping_is_free_from_the_limit_on() -> None:
    assert price([line(1, FREE_SHIPPING_CENTS)], "DE").shipping == 0
    assert price([line(1, FREE_SHIPPING_CENTS - 1)], "DE").shipping == SHIPPING_CENTS


def test_unknown_country_names_those_we_know() -> None:
    with pytest.raises(UnknownCountryError, match=r"AT, CH, DE, FR, NL"):
        price([line(1)], "US")
