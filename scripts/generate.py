"""Draw the generated sections of the documentation: `python -m scripts.generate [--check]`.

A section stands between `<!-- drawn: NAME -->` and `<!-- /drawn -->` in README.md or a page of docs/. The words around it
are written by hand and left alone. A few files are drawn whole. `--check` writes nothing and fails when a section or a file is
not what it would be drawn as.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts import api, cli, errors, evidence, frameworks, http_api, life, promises, settings

DRAWINGS: dict[str, Callable[[], str]] = {
    "life-in-brief": life.brief_picture,
    "life": life.picture,
    "births": life.births,
    "states": life.states,
    "steps": life.steps,
    "api": api.api,
    "errors": errors.errors,
    "outcomes": errors.outcomes,
    "commands": cli.commands,
    "http-people": http_api.people,
    "http-agents": http_api.agents,
    "http-statuses": http_api.statuses,
    "exit-codes": cli.exit_codes,
    "settings": settings.settings,
    "promises": promises.promises,
    "frameworks": frameworks.frameworks,
    "frameworks-battery": frameworks.battery,
    "evidence-common": evidence.common,
    "evidence-actions": evidence.actions,
    "evidence-commitments": evidence.commitments,
    "evidence-not-asserted": evidence.not_asserted,
    "evidence-others": evidence.others,
}
"""Every section by name. To draw a new one is to add a function here."""

FILES: dict[str, Callable[[], str]] = {evidence.SCHEMA: evidence.schema_file}
"""Files that are drawn whole, by their path."""

ROOT = Path(__file__).parent.parent
_SECTION = re.compile(r"(<!-- drawn: ([a-z-]+) -->\n).*?(<!-- /drawn -->)", re.DOTALL)


def pages(root: Path = ROOT) -> list[Path]:
    """Every page a reader may open."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def drawn(text: str) -> str:
    """`text` with every section as it should be. Raises KeyError for a name that nothing draws."""
    return _SECTION.sub(lambda found: f"{found[1]}{DRAWINGS[found[2]]()}\n{found[3]}", text)


def names(text: str) -> list[str]:
    """The names of the sections in `text`."""
    return [found[2] for found in _SECTION.finditer(text)]


def stale(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """The pages whose sections are not as they should be, and what they should say."""
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        if (now := drawn(text)) != text:
            yield page, now
    for name, draw in FILES.items() if root == ROOT else ():
        file = root / name
        if not file.exists() or file.read_text(encoding="utf-8") != draw():
            yield file, draw()


def main() -> int:
    """Draw, or with `--check` only look. Returns 1 when a check finds something."""
    check = "--check" in sys.argv[1:]
    found = list(stale())
    for page, text in found:
        sys.stdout.write(f"{'stale' if check else 'drawn'}: {page.relative_to(ROOT)}\n")
        if not check:
            page.write_text(text, encoding="utf-8")
    if check and found:
        sys.stdout.write("run `make docs`\n")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
