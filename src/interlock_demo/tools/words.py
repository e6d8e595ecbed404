"""The argument types the tools share. An agent's argument that does not fit is refused before anything looks at it."""

from typing import Annotated

import msgspec

Minor = Annotated[int, msgspec.Meta(ge=1, le=5_000_000, description="An amount in minor units of EUR.")]
Sum = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000, description="What amounts come to, or nothing.")]
Units = Annotated[int, msgspec.Meta(ge=1, le=100_000, description="A number of pieces.")]
Sku = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}-[0-9]{3}$", description="A product's number, such as `AUR-001`.")]
ReplacementSku = Annotated[str, msgspec.Meta(pattern="^([A-Z]{3}-[0-9]{3})?$", description="A product, or nothing.")]
LineNo = Annotated[int, msgspec.Meta(ge=1, le=100)]
OrderId = Annotated[str, msgspec.Meta(pattern="^ORD-[0-9]{4,}$")]
ReturnId = Annotated[str, msgspec.Meta(pattern="^RET-[0-9]{4,}$")]
CustomerId = Annotated[str, msgspec.Meta(pattern="^CUS-[0-9]{4,}$")]
ReservationId = Annotated[str, msgspec.Meta(pattern="^RSV-[0-9]{4,}$")]
Address = Annotated[str, msgspec.Meta(pattern="^[^@ ]+@[^@ ]+$", max_length=254, description="A mail address.")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
