"""What a server's program may know of our environment: the few names every program needs, and what its file names."""

import re
from collections.abc import Mapping
from typing import Final

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
SHORTEST: Final = 8
"""Characters that a secret has at least."""
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(values: Mapping[str, str], environ: Mapping[str, str], what: str) -> dict[str, str]:
    """`values` with their `${NAME}` filled in. Raises EffectorError for one that is not set; no value is ever in an error."""
    found: dict[str, str] = {}
    for name, template in values.items():
        for variable in _VARIABLE.findall(template):
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


def secrets_in(values: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """What `${NAME}` stands for in `values`: what nobody may read who asks for a call. Too short a word is none."""
    named = {variable for template in values.values() for variable in _VARIABLE.findall(template)}
    return tuple(sorted({environ[each] for each in named if len(environ.get(each, "")) >= SHORTEST}))


def environment(own: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a server's program. Raises EffectorError."""
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    return inherited | filled(own, environ, "the variable")
