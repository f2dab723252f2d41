"""What goes over the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, computed_field

Sku = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Product(Message):
    sku: str
    name: str
    unit_cents: int
    stock: int


class Quantity(Message):
    """How many of a product a cart holds; 0 takes it out."""

    quantity: int = Field(ge=0, le=1000)


class CartLine(Message):
    sku: str
    quantity: int
    unit_cents: int


class Cart(Message):
    id: str
    closed: bool
    lines: list[CartLine]


class CheckoutRequest(Message):
    cart_id: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class OrderLine(Message):
    sku: str
    quantity: int
    unit_cents: int


class Order(Message):
    id: str
    cart_id: str
    country: str
    email: str
    subtotal_cents: int
    shipping_cents: int
    tax_cents: int
    created: str
    lines: list[OrderLine]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_cents(self) -> int:
        return self.subtotal_cents + self.shipping_cents + self.tax_cents
