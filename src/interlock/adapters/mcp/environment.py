"""What a server's program may know of our environment: the few names every program needs, and what its file names."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from interlock.domain.errors import EffectorError

INHERITED: Final = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
)
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(values: Mapping[str, str], environ: Mapping[str, str], what: str) -> dict[str, str]:
    """`values` with their `${NAME}` filled in. Raises EffectorError for one that is not set; no value is ever in an error."""
    found: dict[str, str] = {}
    for name, template in values.items():
        for variable in named_in(template):
            if not environ.get(variable):
                raise EffectorError(
                    f"the environment has no `{variable}`, which {what} `{name}` needs",
                    next_step=f"set {variable} where this runs",
                )
        value = _VARIABLE.sub(lambda match: environ[match[1]], template)
        if any(each in value for each in "\r\n\0"):
            raise EffectorError(f"{what} `{name}` is not one line of text")
        found[name] = value
    return found


def named_in(template: str) -> tuple[str, ...]:
    """The variables that `template` names."""
    return tuple(_VARIABLE.findall(template))


def filled_address(template: str, environ: Mapping[str, str]) -> str:
    """An address with its `${NAME}` filled in, as what they are: none of them ends what it stands in. Raises EffectorError."""
    named = {name: environ.get(name, "") for name in named_in(template)}
    filled({"url": template}, environ, "the address")
    return _VARIABLE.sub(lambda match: quote(named[match[1]], safe=""), template)


def named_address(template: str) -> str:
    """An address as it may be shown: with the names of variables, and without who signs in."""
    parts = urlsplit(template)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def environment(own: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a server's program. Raises EffectorError."""
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    return inherited | filled(own, environ, "the variable")
