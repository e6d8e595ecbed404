"""What an address of a page says after its question mark, addresses of ours that say something there, and going to one."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from litestar import Response

from interlock.domain.errors import ContractError
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked

LONGEST: Final = 400
"""Letters of one value: longer is nothing that a page of ours asks for."""
MOST: Final = 20
"""Values of one name."""


def said(request: Asked, name: str) -> str:
    """What the address says under `name`, the last if it is there twice; empty where it does not. Raises ContractError where
    that is longer than anything that could be meant."""
    found = all_said(request, name)
    return found[-1] if found else ""


def all_said(request: Asked, name: str) -> tuple[str, ...]:
    """Everything it says under `name`. Raises ContractError."""
    found = [each.strip() for each in request.query_params.getall(name, [])]
    if len(found) > MOST or any(len(each) > LONGEST for each in found):
        raise ContractError(f"`{name}` in the address is too long", path=f"/{name}", next_step="say less of it")
    return tuple(each for each in found if each)


def address(path: str, values: Mapping[str, str | Sequence[str] | None]) -> str:
    """`path` with `values` behind it; what is empty is left away."""
    pairs = [
        (name, each)
        for name, value in values.items()
        for each in ([value] if isinstance(value, str) else value or ())
        if each
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def lead_to(place: str, **headers: str) -> Response[bytes]:
    """To `place`, a path of ours or an address that is meant: the answer to a form that was done."""
    return Response(b"", status_code=303, headers={"Location": place, **headers})


async def names_in_force(plane: ControlPlane) -> dict[str, list[str]]:
    """The agents and contracts there are, to choose from."""
    control = (await plane.orders.current()).control
    return {"agent": sorted(control.agents), "contract": sorted(control.contracts)}


def choices(names: list[str], chosen: str) -> list[str]:
    """What there is to choose from; what is in force no more can be chosen by an address."""
    return sorted({*names, chosen} - {""})
