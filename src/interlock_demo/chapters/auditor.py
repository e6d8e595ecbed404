"""18:45. An auditor is handed the evidence, and checks it with one file and public keys, without Interlock."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from interlock_demo.program import DONE, NOT_VERIFIED, CommandFailed
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, spaced

WITHOUT_US = (
    "import runpy, sys; sys.modules['interlock'] = None; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""Runs a program to which `import interlock` is an error."""
NO, YES = b'"state":"rejected"', b'"state":"done"'


def audited(tell: Teller, setting: Setting) -> list[str]:
    """Export, verify elsewhere, forge, verify again. Gives what went otherwise than promised, in words."""
    tell.chapter(
        "18:45",
        "An auditor who trusts nobody",
        "They get the log as files, a verifier of one file to read before it is run, and, by another way, two lines of public "
        "keys. Nothing of Interlock is imported where they check.",
    )
    with tempfile.TemporaryDirectory(prefix="interlock-auditor-") as elsewhere:
        bundle, keys = Path(elsewhere) / "evidence", Path(elsewhere) / "keys.txt"
        keys.write_text("".join(each.read_text() for each in sorted(_public(setting))), "utf-8")
        tell.command("sam", "audit", "export", "evidence", "--profile", "eu-ai-act")
        try:
            made = setting.program.json("audit", "export", str(bundle), "--profile", "eu-ai-act")
        except CommandFailed as error:
            tell.line("no", "a log that is damaged is not handed over", str(error))
            return ["the evidence could not be exported"]
        told = f"{spaced(made['actions'])} actions, {spaced(made['size'])} entries, no clear text of anybody's"
        tell.line("note", told)
        return [*honest(tell, bundle, keys), *forged(tell, bundle, keys)]


def honest(tell: Teller, bundle: Path, keys: Path) -> list[str]:
    """Verify the export as it was handed over."""
    tell.shell("the auditor", "python verify.py evidence --key keys.txt")
    code, said = _verify(bundle, keys)
    if code == DONE:
        tell.line("yes", _line(said, "the export verifies"))
        return []
    tell.line("no", "the evidence does not verify", said[-1] if said else "")
    return ["the auditor could not verify the evidence"]


def forged(tell: Teller, bundle: Path, keys: Path) -> list[str]:
    """Verify it again after somebody edited what people read first."""
    actions = bundle / "actions.jsonl"
    honest = actions.read_bytes()
    actions.write_bytes(honest.replace(NO, YES, 1))
    tell.line("note", "somebody between the shop and the auditor turns a no into a yes")
    code, said = _verify(bundle, keys)
    actions.write_bytes(honest)
    if code == NOT_VERIFIED:
        tell.line("yes", "caught", _line(said, "first: ").removeprefix("first: "))
        return []
    tell.line("no", "and the auditor did not notice")
    return ["an edited export was verified"]


def _verify(bundle: Path, keys: Path) -> tuple[int, list[str]]:
    """Its exit code and its lines, from a process that cannot import Interlock."""
    command = [sys.executable, "-c", WITHOUT_US, str(bundle / "verify.py"), str(bundle), "--key", str(keys)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  the verifier in the export
    return done.returncode, (done.stdout + done.stderr).splitlines()


def _line(said: Sequence[str], beginning: str) -> str:
    """The line that begins so, or all of it where none does."""
    return next((each for each in said if each.startswith(beginning)), " ".join(said))


def _public(setting: Setting) -> list[Path]:
    return [setting.workspace / ".interlock" / "keys" / f"{name}.pub" for name in ("gate", "log")]
