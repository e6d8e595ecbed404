"""A public key on the command line: its line or its file, wherever one is asked for."""

import os
from pathlib import Path

import pytest

from interlock.adapters.keys import fresh
from interlock.cli.key_given import key_given, keys_given
from interlock.cli.output import UsageError
from tests.cli.shell import Shell

LOG = fresh("some.example/log").verifier
GATE = fresh("some.example/log/gate").verifier


@pytest.mark.proves("cli.keys_given")
@pytest.mark.parametrize(
    "text", ["{}", "{}\n", "\n  {}  \n\n", "\ufeff{}\n", "# the log's\n{}\n", "{}\r\n"], ids=range(6)
)
def test_a_key_is_its_line_or_the_file_that_holds_it(tmp_path: Path, text: str) -> None:
    """A line is taken as it stands; of a file, blank lines, comments, and the mark that editors put first do not matter."""
    file = tmp_path / "a.pub"
    file.write_text(text.format(LOG.vkey()), newline="")

    assert key_given(str(file), "--key", "log") == LOG
    assert key_given(f" {LOG.vkey()}\n", "--key", "log") == LOG


@pytest.mark.proves("cli.keys_given")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no key"),
        ("# nothing\n\n", "holds no key"),
        ("rubbish", "is no file of public keys"),
        (LOG.vkey()[:-8], "is no file of public keys"),
        ("\x00\xff" * 40, "is no file of public keys"),
        ("x" * 70_000, "larger than any file of keys"),
        (f"{LOG.vkey()}\n{LOG.vkey()}\n", "holds 2 keys"),
        (GATE.vkey(), "is a gate"),
    ],
    ids=range(8),
)
def test_what_is_no_key_is_named_with_its_option(tmp_path: Path, text: str, says: str) -> None:
    """Each mistake is a mistake of the command line, which names the option, the file, and what to give instead."""
    file = tmp_path / "a.pub"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(UsageError, match=says) as raised:
        key_given(str(file), "--log-key", "log")
    assert str(raised.value).startswith("`--log-key`: ")
    assert "log.pub" in raised.value.next_step


@pytest.mark.parametrize("word", ["", "missing.pub", "\x00", "a+b", LOG.vkey()[:-1], "/", "x" * 5000], ids=range(7))
def test_what_is_neither_a_key_nor_a_file_is_a_usage_error(word: str) -> None:
    """A missing file, a folder, half a key, a name that no file can have."""
    with pytest.raises(UsageError):
        keys_given((word,), "--key", "any")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """The path and the reason are in the message."""
    file = tmp_path / "a.pub"
    file.write_text(LOG.vkey())
    file.chmod(0)

    with pytest.raises(UsageError, match="Permission denied"):
        key_given(str(file), "--key", "log")


@pytest.mark.proves("cli.keys_given")
def test_every_command_takes_a_key_both_ways(shell: Shell, tmp_path: Path) -> None:
    """`log check`, `log fork`, `witness init`, `trust` and `distrust`, `keys retire`; a log's key for a gate's is refused."""
    keys = tmp_path / ".interlock/keys"
    log, gate = str(keys / "log.pub"), str(keys / "gate.pub")
    proof, head, witness = (str(tmp_path / name) for name in ("a.proof", "a.head", "w"))
    shell.proposed(1)
    assert shell("log", "proof", "0", "--out", proof).code == 0
    assert shell("log", "head", "--out", head).code == 0

    for of_log, of_gate in ((log, gate), (Path(log).read_text().strip(), Path(gate).read_text().strip())):
        assert shell("log", "check", proof, "--log-key", of_log, "--gate-key", of_gate).code == 0
        assert shell("log", "fork", head, head, "--key", of_log).code == 0
        assert shell("witness", "init", f"{witness}{len(of_log)}", "--name", "w.example/w", "--log", of_log).code == 0
        assert shell("witness", "trust", f"{witness}{len(of_log)}", of_log).code == 0
        assert shell("witness", "distrust", f"{witness}{len(of_log)}", of_log).code == 0
        for words in (
            ("log", "fork", head, head, "--key", of_gate),
            ("witness", "init", f"{witness}x", "--name", "w.example/x", "--log", of_gate),
            ("witness", "trust", f"{witness}{len(of_log)}", of_gate),
        ):
            said = shell(*words)
            assert (said.code, "not the `gate.pub`" in said.err) == (2, True), said
        assert not Path(f"{witness}x").exists()

    assert shell("keys", "rotate", "--as", "rita", "--why", "one", "--role", "log").code == 0
    (old,) = (keys / "retired").glob("*.pub")
    retired = shell("keys", "retire", str(old), "--compromised", "--since", "1", "--as", "rita", "--why", "lost")
    assert retired.code == 0, retired
