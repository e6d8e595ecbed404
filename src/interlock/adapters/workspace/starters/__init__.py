"""Policies to begin with, each with its tests and sample contracts: text with places for names, kept as files beside this."""

from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.workspace.fields import near
from interlock.domain.errors import FileError, WorkspaceError


class Starter(msgspec.Struct, frozen=True, kw_only=True):
    """Policies about one contract."""

    name: str
    agent: str
    """What the sample agent is called."""
    role: str
    """What the contract is for: `--contract ROLE=NAME`."""
    contract: str
    """What the sample contract is called."""
    owner: str
    samples: tuple[str, ...]
    """The files of the sample contracts, that of the role first."""
    also: tuple[str, ...] = ()
    """The sample contracts beside it."""


STARTERS: Final = {
    each.name: each
    for each in (
        Starter(
            name="pricing",
            agent="pricing",
            role="set",
            contract="pricing.set_price",
            owner="pricing-team",
            samples=("set_price.yaml",),
        ),
        Starter(
            name="refunds",
            agent="refund-clerk",
            role="issue",
            contract="refunds.issue",
            owner="support-team",
            samples=("issue.yaml", "cancel.yaml"),
            also=("refunds.cancel",),
        ),
        Starter(
            name="replenishment",
            agent="replenishment",
            role="order",
            contract="replenishment.order",
            owner="supply-team",
            samples=("order.yaml", "cancel.yaml"),
            also=("replenishment.cancel",),
        ),
        Starter(
            name="mail",
            agent="mailer",
            role="send",
            contract="mail.send",
            owner="support-team",
            samples=("send.yaml",),
        ),
        Starter(
            name="database",
            agent="database-keeper",
            role="run",
            contract="database.run",
            owner="data-team",
            samples=("run.yaml",),
        ),
    )
}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the places of a starter's text."""

    agent: str
    contract: str
    approver: str
    owner: str


def starter_called(name: str) -> Starter:
    """The starter `name`. Raises WorkspaceError."""
    found = STARTERS.get(name)
    if found is None:
        known = tuple(STARTERS)
        raise WorkspaceError(
            f"there is no starter `{name[:64]}`{near(name, known)}", next_step=f"choose one of {', '.join(known)}"
        )
    return found


def policies_of(starter: Starter, names: Names) -> dict[str, str]:
    """Policies and tests by path below the workspace."""
    return {
        f"policies/{starter.name}.cedar": _filled(_text(starter.name, "policy.cedar"), names),
        f"policies/tests/{starter.name}.yaml": _filled(_text(starter.name, "tests.yaml"), names),
    }


def samples_of(starter: Starter) -> dict[str, str]:
    """The sample contracts by path below the workspace."""
    names = (starter.contract, *starter.also)
    return {
        f"contracts/{name}.yaml": _text(starter.name, file) for name, file in zip(names, starter.samples, strict=True)
    }


def agent_of(names: Names) -> dict[str, str]:
    """A sample agent that may use the contract, by path below the workspace."""
    return {f"agents/{names.agent}.yaml": _filled(_text("agent.yaml"), names)}


def write_new(folder: Path, files: dict[str, str]) -> list[str]:
    """Write `files`, and give their paths. Overwrites nothing: where one exists, WorkspaceError says which, and nothing
    was written."""
    for path in files:
        if (folder / path).exists():
            raise WorkspaceError(
                f"`{path}` exists already, and nothing is overwritten",
                file=path,
                next_step="move it out of the way, or go on with it",
            )
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise FileError(f"`{folder}` cannot be written: {error.strerror}") from None
    return list(files)


def _text(*path: str) -> str:
    return resources.files(__name__).joinpath(*path).read_text(encoding="utf-8")


def _filled(text: str, names: Names) -> str:
    for place in names.__struct_fields__:
        text = text.replace(f"<{place}>", getattr(names, place))
    return text
