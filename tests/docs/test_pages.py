"""The documentation is followed word by word: every block of every page is run or read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scripts.generate import ROOT, pages
from tests.docs.blocks import Block, Wrong, blocks, commands, learned, translated
from tests.docs.reader import ENVIRONMENT, Reader

PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}

UUID = "02b2fee8-57dd-88e0-c6f4-23fb3c4fdc10"

HONEST = """
# A page

```yaml
# file: shop/words.yaml
hello: world
```

```console
$ cd shop && export WHO=ana
$ cat words.yaml \\
    | tail -1
hello: world
$ echo "$WHO in $PWD"; echo; echo more >&2
ana in .../shop
...
$ false  # exit 1
$ ID=$(date +%N | sha256sum | cut -c1-12); echo "made $ID"
made 0a1b2c3d4e5f
$ test 0a1b2c3d4e5f = $ID
```

```bash
test "$WHO" = ana
for each in 1 2; do echo $each; done
```

```python
from pathlib import Path
text = Path("words.yaml").read_text()
```

* in a list:

  ```python
  print(text.splitlines()[1], len(text))
  ```

  ```output
  hello: ...
  ```

```python
# file: shop/helper.py
WORD = "helper"
```

```python
import helper
assert helper.WORD == "helper"
```

```cedar
// file: policies/all.cedar
permit(principal, action, resource);
```

```text
anything at all
```
"""

DISHONEST = {
    "another output": "```console\n$ echo one\ntwo\n```",
    "output that is not shown": "```console\n$ echo one\n```",
    "a command that fails": "```console\n$ exit 3\n```",
    "a status that is not so": "```console\n$ true  # exit 2\n```",
    "a script that fails": "```bash\nfalse\n```",
    "Python that fails": "```python\nassert 1 == 2\n```",
    "Python that prints something else": "```python\nprint(1)\n```\n\n```output\n2\n```",
    "a folder that is somewhere else": "```yaml\n# file: ../out.yaml\na: 1\n```",
    "no YAML": "```yaml\na: [\n```",
    "no Cedar": "```cedar\npermit(principal);\n```",
    "a file that is no Python": "```python\n# file: a.py\nx =\n```",
    "a language nobody runs": "```ruby\nputs 1\n```",
    "no language": "```\nputs 1\n```",
    "an indented block": "text\n\n    make everything\n",
    "a console block without a command": "```console\nhello\n```",
}


SLOW = ("ag2", "autogen", "crewai", "google-adk", "openai-agents", "pydantic-ai", "strands")
"""Frameworks that take long to load: their pages are followed by `make adapters`."""
FOLLOWED = [
    pytest.param(name, marks=pytest.mark.slow) if name.removesuffix(".md").endswith(SLOW) else name for name in PAGES
]


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page_can_be_followed(name: str, tmp_path: Path) -> None:
    """Whoever follows this page word by word in an empty folder sees what it shows."""
    with Reader(PAGES[name], tmp_path) as reader:
        if not (reader.installed / "python").exists():
            pytest.skip(f"`make frameworks` made no environment `{reader.environment}`")
        reader.follow()


def test_an_honest_page_is_followed(tmp_path: Path) -> None:
    """Files are written, commands share a shell, Python shares a namespace, also inside a list; inert blocks are let be."""
    page = tmp_path / "page.md"
    page.write_text(HONEST)
    with Reader(page, tmp_path) as reader:
        assert reader.follow() == 9


@pytest.mark.parametrize("what", DISHONEST)
def test_a_dishonest_page_is_caught(what: str, tmp_path: Path) -> None:
    """A page that shows something else than what happens is caught, and no block is passed over."""
    page = tmp_path / "page.md"
    page.write_text(DISHONEST[what])
    with Reader(page, tmp_path) as reader, pytest.raises(Wrong):
        reader.follow()


@pytest.mark.parametrize(
    ("shown", "seen", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nd", True),
        ("...", "", True),
        ("id ... is done", "id 42 is done", True),
        ("id ... is done", "id 42 is held", False),
        ("a", "a\nb", False),
        ("a\nb", "a", False),
        ("", "a", False),
        ("a.c", "abc", False),
        ("at 2026-01-02 03:04:05", "at 2027-11-12 13:14:15", True),
        ("at 2026-01-02 03:04:05", "at noon", False),
        ("0123456789ab and 0123456789ab", "ba9876543210 and ba9876543210", True),
        ("0123456789ab and 0123456789ab", "ba9876543210 and 0123456789ab", False),
        ("0123456789ab", "ba98765432100", False),
        ("known abcdefabcdef", "known fedcbafedcba", True),
        ("known abcdefabcdef", "known abcdefabcdef", False),
    ],
)
def test_what_counts_as_shown(shown: str, seen: str, same: bool) -> None:
    """Output counts as shown when it is the same, `...` standing for what may differ and nothing else."""
    known = {"abcdefabcdef": "fedcbafedcba"}

    assert (learned(shown, seen, known) is not None) is same


def test_example_ids_are_learned() -> None:
    """An id that a page shows stands for the one that was seen, in everything the page says after it."""
    known = learned(
        "id 0123456789ab\n...\nof 01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09", "id aaaaaaaaaaaa\n\nof " + UUID, {}
    )

    assert known == {"0123456789ab": "aaaaaaaaaaaa", "01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09": UUID}
    assert translated("$ show 0123456789ab 999999999999", known) == "$ show aaaaaaaaaaaa 999999999999"


def test_commands_of_a_console_block() -> None:
    """A command goes on after a backslash or on lines that begin with `> `; what follows is its output."""
    text = "$ one \\\n  two\nsaid\n$ cat <<X\n> a\n> X\na\n$ three  # exit 4\n"

    found = [(each.text, each.shown, each.status, each.line) for each in commands(Block("console", text, 10))]

    assert found == [
        ("one \\\n  two", "said", 0, 10),
        ("cat <<X\na\nX", "a", 0, 13),
        ("three  # exit 4", "", 4, 17),
    ]


def test_blocks_know_their_lines() -> None:
    """A block's line is where its content begins in the page."""
    assert [block.line for block in blocks("a\n\n```text\nx\n```\n\n- b\n\n  ```json\n  1\n  ```\n")] == [4, 10]


def tokens(name: str) -> list[Token]:
    """Every inline token of a page."""
    parsed = MarkdownIt().enable("table").parse(PAGES[name].read_text(encoding="utf-8"))
    return [child for token in parsed for child in token.children or []]


def anchors(page: Path) -> set[str]:
    """What may stand behind `#` in a link to `page`, made of its headings as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    """Every link inside the documentation leads to a file, and to a heading of it where it names one."""
    targets = [str(token.attrs["href"]) for token in tokens(name) if token.type == "link_open"]
    inside = [target.partition("#") for target in targets if "://" not in target]

    for path, _, anchor in inside:
        file = (PAGES[name].parent / path).resolve() if path else PAGES[name]
        assert file.exists(), f"{name}: {path}"
        assert not anchor or anchor in anchors(file), f"{name}: {path}#{anchor}"


def test_every_page_can_be_found() -> None:
    """Following links from the README leads to every page."""
    seen: set[str] = set()
    ahead = ["README.md"]
    while ahead:
        name = ahead.pop()
        if name in seen or name not in PAGES:
            continue
        seen.add(name)
        for token in tokens(name):
            if token.type == "link_open" and "://" not in (path := str(token.attrs["href"]).partition("#")[0]):
                file = (PAGES[name].parent / path).resolve()
                ahead.append(file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else "")

    assert set(PAGES) - seen == set()


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if ENVIRONMENT.search(page.read_text("utf-8"))])
def test_a_page_says_what_to_install(name: str) -> None:
    """A page about a framework names every package of the environment that it is followed in, in that version."""
    text = PAGES[name].read_text(encoding="utf-8")
    (environment,) = ENVIRONMENT.findall(text)
    project = tomllib.loads((ROOT / "tests" / "frameworks" / environment / "pyproject.toml").read_text("utf-8"))
    needed = [each for each in project["project"]["dependencies"] if not each.startswith(("interlock", "pytest"))]

    assert needed
    assert [each for each in needed if f"'{each}'" not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_holds_what_a_merge_left(name: str) -> None:
    """No page shows the marks of two versions that somebody had to choose between, and did not."""
    text = PAGES[name].read_text(encoding="utf-8")

    assert re.findall(r"^(?:<{7}|={7}|>{7}|\|{7})(?: .*)?$", text, re.MULTILINE) == []


def test_what_one_can_make_can_be_made() -> None:
    """Every `make` command that a page names is in the Makefile, and CONTRIBUTING names every one there is."""
    there = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        name: set(re.findall(r"`make ([a-z0-9-]+)`", page.read_text(encoding="utf-8"))) for name, page in PAGES.items()
    }

    assert {name: words - there for name, words in named.items() if words - there} == {}
    assert there - named["CONTRIBUTING.md"] == {"help"}
