"""Formatting is only about form: the same policies, every comment, and the same again when it is done twice."""

from pathlib import Path
from random import Random

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chance import Chance
from interlock.adapters.cedar.files import reformatted
from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.cedar.limits import readable
from interlock.adapters.cedar.source import PIECE, Problems, statements
from interlock.domain.errors import PolicyError
from tests.adapters.cedar_cases import ALL, forbid


def meaning(text: str) -> object:
    """The policies in it, in their order, whatever they look like."""
    found = cedarpy.policies_to_pst(text)
    return tuple(found.static_policies.values()), tuple(found.templates.values())


def comments(text: str) -> list[str]:
    """What stands behind every `//` that is none of a string's."""
    return [found[0].rstrip() for found in PIECE.finditer(text) if found["skip"] and found[0].startswith("//")]


COMMENTS = (
    "// plain",
    "//",
    f"// {ALL}",
    f"// {ALL} {forbid('true')}",
    '// "not a text',
    "// ; ) } // twice",
    "//\ttabs   ",
    "// ünï",
)
APART = ("\n", "\n\n", "\n   \n")
BETWEEN = ("", " ", "\n", "\n\n", "\n\n\n", "  \n\t\n", "\r\n")


def scattered(text: str, chance: Random) -> str:
    """A policy with blanks and comments wherever something may stand between two words."""
    words = [found[0] for found in PIECE.finditer(text) if not found["skip"]]
    done: list[str] = []
    for word in words:
        done.append(word)
        # Some words are only apart because a blank is between them.
        done.append(chance.choice(BETWEEN) or " ")
        if chance.random() < 0.06:
            done.append(chance.choice(COMMENTS) + "\n")
    return "".join(done)


def parsing(policies: Chance, name: str) -> str:
    """A policy by chance that can be read: `context has a == b` is no expression, and some are too deep for us."""
    while True:
        text = policies.policy(name)
        try:
            meaning(text)
        except ValueError:
            continue
        if readable(next(statements("", text)), Problems()):
            return text


def sources(seed: int) -> str:
    """A file of policies by chance, with comments around and inside of them."""
    chance, policies = Random(seed), Chance(seed)  # noqa: S311  nothing is secret here
    done: list[str] = []
    for each in range(chance.randint(0, 6)):
        done += [chance.choice(COMMENTS) + chance.choice(APART) for _ in range(chance.randint(0, 2))]
        text = parsing(policies, f"p{each}")
        done.append(scattered(text, chance) if chance.random() < 0.6 else text)
        done.append(chance.choice((" ", "\n", "\n\n", " // behind\n", "  // behind\n\n")))
    if chance.random() < 0.4:
        done.append(chance.choice(COMMENTS))
    return "".join(done)


@pytest.mark.proves("policy.format_keeps")
@settings(max_examples=120)
@given(seed=st.integers(0, 2**32))
def test_the_form_keeps_policies_and_comments_and_is_its_own_form(seed: int) -> None:
    """By Cedar's own parser the same policies in the same order; each comment once, in its order; and done twice it is the
    same as done once."""
    text = sources(seed)

    form = formatted("p.cedar", text)

    assert form is not None
    assert meaning(form) == meaning(text)
    assert comments(form) == comments(text)
    assert formatted("p.cedar", form) == form


@pytest.mark.proves("policy.format_keeps")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"// {ALL}\n{ALL}\n", id="the same policy in a comment before it"),
        pytest.param(f"// {ALL} {forbid('true')}\n{ALL}\n", id="another behind it in the comment"),
        pytest.param(f"// {forbid('false')} {ALL}\n\n\n{forbid('false')}\n", id="a permit in the comment of a forbid"),
        pytest.param(forbid(f'context.args.sku == "// {ALL.replace(chr(34), "")}"') + f"\n// {ALL}", id="in a text"),
    ],
)  # fmt: skip
def test_what_is_commented_out_stays_out(text: str) -> None:
    """A policy in a comment, however much like a real one, does not come into force."""
    form = formatted("p.cedar", text)

    assert form is not None
    assert meaning(form) == meaning(text)
    assert comments(form) == comments(text)


def test_the_form_is_cedars_own() -> None:
    """One blank line between policies, a line for each annotation, comments where they were."""
    text = f"// of the file\n\n\n// of the policy\n{ALL}   // behind it\n{forbid('context.undo')}\n\n// the last"

    assert formatted("p.cedar", text) == (
        "// of the file\n\n"
        '// of the policy\n@id("all")\n@owner("o")\npermit (principal, action, resource); // behind it\n\n'
        '@id("f")\n@owner("o")\n@outcome("deny")\n@reason("no")\n'
        'forbid (\n  principal,\n  action == Action::"pricing.set_price",\n  resource\n)\n'
        "when { context.undo };\n\n"
        "// the last\n"
    )


@pytest.mark.parametrize(("text", "form"), [("", ""), ("\n \n", ""), ("// x  \n\n\n", "// x\n"), ("// x", "// x\n")])
def test_a_file_without_policies_has_a_form_too(text: str, form: str) -> None:
    """Comments alone are kept, nothing stays nothing."""
    assert formatted("p.cedar", text) == form


@pytest.mark.proves("policy.format_keeps")
@pytest.mark.parametrize(
    "text",
    [
        "permit(principal, action, resource)",
        f"{ALL}\nallow(principal, action, resource);",
        f"{ALL}\npermit(principal, action, resource) when {{ ( }};",
        ";",
        '"',
        forbid("(" * 40 + "true" + ")" * 40),
        f"// \r{ALL}",
        f"{ALL}\0",
    ],
)
def test_what_does_not_parse_has_no_form_and_is_not_written(text: str, tmp_path: Path) -> None:
    """It is named, and not a byte of it changes."""
    file = tmp_path / "p.cedar"
    file.write_text(text, newline="")

    found, wrong = reformatted([file])

    assert (found, wrong) == ([], [file])
    assert file.read_bytes() == text.encode()


@pytest.mark.proves("policy.format_keeps")
def test_a_file_that_somebody_saves_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """What was formatted is no longer what is there: the newer text stays, and nothing is left beside it."""
    file = tmp_path / "p.cedar"
    file.write_text(ALL)
    [found], _ = reformatted([file])
    file.write_text(ALL.replace("permit", "forbid"))

    with pytest.raises(PolicyError, match="changed meanwhile"):
        found.write()

    assert file.read_text() == ALL.replace("permit", "forbid")
    assert [each.name for each in tmp_path.iterdir()] == ["p.cedar"]


def test_a_written_file_keeps_its_rights_and_its_links(tmp_path: Path) -> None:
    """A link leads where it led, and who may read the file may read it still."""
    file, link = tmp_path / "real.cedar", tmp_path / "p.cedar"
    file.write_text(ALL)
    file.chmod(0o640)
    link.symlink_to(file)

    [found], _ = reformatted([link])
    found.write()

    assert link.is_symlink()
    assert file.read_text() == found.after != ALL
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", "no UTF-8 text"), (b"//" + b"x" * 1024 * 1024, "longer than a policy file may be")],
)
def test_a_file_that_cannot_be_read_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    """Neither is a policy file, and neither is touched."""
    file = tmp_path / "p.cedar"
    file.write_bytes(content)

    with pytest.raises(PolicyError, match=words):
        reformatted([file])

    assert file.read_bytes() == content
