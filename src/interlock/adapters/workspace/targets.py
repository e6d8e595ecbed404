"""Where a contract's functions are: `{python: module:function}` or `{http: {...}}`; or `in_process`, in the agent's program."""

import re
from typing import Final, Literal

from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Node, Scalar
from interlock.domain.contract import HttpTarget, InProcess, PythonTarget, Target

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
_METHODS: Final[tuple[Method, ...]] = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PYTHON: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
_SECRET: Final = re.compile(r"authorization|cookie|.*(key|token|secret).*", re.IGNORECASE)


def read_run(section: Section, name: str) -> Target:
    """Where the tool of the contract `name` itself is. Only that may be in the agent's program: what is asked about an action is
    asked by any process, also when that program is gone. Where nothing can be read a problem is noted."""
    node = section.take("run")
    if not isinstance(node, Scalar):
        return read_target(section, "run", required=True) or InProcess(name=name)
    if node.text != "in_process":
        section.wrong(
            f"`run` is a table (`python: module:function` or `http: ...`), or the word `in_process`: not `{node.text[:80]}`",
            node,
        )
    return InProcess(name=name)


def read_target(section: Section, name: str, *, required: bool = False) -> Target | None:
    """The target behind `name`."""
    below = section.section(name, required=required)
    if below is None:
        return None
    target = target_in(below)
    below.close()
    return target


def target_in(section: Section) -> Target | None:
    """The target that `section` names; its other fields are the caller's to read."""
    python, http = section.take("python"), section.take("http")
    if (python is None) == (http is None):
        section.wrong(f"{section.what} needs `python: module:function` or `http: ...`, one of them")
        return None
    if http is not None:
        return _http(section, http)
    text = section.text("python")
    if not _PYTHON.fullmatch(text):
        section.wrong(f"`{text[:80]}` does not name a function: `package.module:function`", python)
        return None
    return PythonTarget(target=text)


def _http(section: Section, node: Node) -> HttpTarget | None:
    if isinstance(node, Scalar):
        return HttpTarget(url=node.text) if _is_web(section, node.text, node) else None
    below = section.below(node, "http")
    if below is None:
        return None
    url = below.text("url", required=True)
    target = HttpTarget(
        url=url,
        method=below.choice("method", _METHODS, "POST"),
        headers=named_values(below, "headers", "header"),
        key_header=below.text("key_header", "Idempotency-Key"),
    )
    below.close()
    return target if url and _is_web(below, url, below.take("url")) else None


def _is_web(section: Section, url: str, node: Node | None) -> bool:
    if url.startswith(("http://", "https://")):
        return True
    section.wrong(f"`{url[:80]}` must begin with http:// or https://", node)
    return False


def named_values(section: Section, field: str, what: str) -> dict[str, str]:
    """Headers, or variables, by name. What looks like a secret and is written out would lie in a file, and in every version of
    a contract."""
    values: dict[str, str] = {}
    for name, node in section.pairs(field).items():
        if not isinstance(node, Scalar):
            section.wrong(f"the {what} `{name[:64]}` must be words", node)
            continue
        if _SECRET.fullmatch(name) and "${" not in node.text:
            section.wrong(
                f"the {what} `{name[:64]}` looks like a secret; write `${{NAME}}` and set it where it runs", node
            )
        values[name] = node.text
    return values
