"""Whoever only looks needs no private key."""

import subprocess
import sys
from pathlib import Path

import pytest


def interlock(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "interlock", *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.proves("evidence.packet_offline", "evidence.verify_complete")
def test_an_auditor_has_public_keys_only(tmp_path: Path) -> None:
    """Without the private keys a log can be listed and verified, and nothing can be proposed."""
    shop = tmp_path / "shop"
    run = ("run", "notes.add", "--agent", "keeper", "--args", '{"text": "hello"}')
    for words in (("init", str(shop)), ("-w", str(shop), "apply"), ("-w", str(shop), *run)):
        assert interlock(tmp_path, *words).returncode == 0
    for key in (shop / ".interlock" / "keys").glob("*.key"):
        key.unlink()

    verified, listed = interlock(shop, "verify"), interlock(shop, "actions")
    refused = interlock(shop, *run)

    assert (verified.returncode, listed.returncode) == (0, 0), verified.stderr + listed.stderr
    assert "notes.add" in listed.stdout
    assert refused.returncode == 3
    assert "key" in refused.stderr
