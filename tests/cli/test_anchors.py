"""Anchors from the command line and by workers, with a witness in a process of its own."""

import shutil
from pathlib import Path

import anyio
import pytest

from interlock.adapters import cosigners
from interlock.bootstrap import witnesses
from interlock.bootstrap.connecting import connect
from interlock.domain.cosignature import MLDSA44, CosignerKey
from interlock.domain.note import parse_vkey
from interlock.worker import Worker
from tests.cli.shell import Shell
from tests.cli.test_witness import served


async def _worked(folder: Path, anchors: int) -> None:
    """A worker runs until the log has so many anchors."""
    plane = connect(folder)
    try:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(Worker(plane).run)
                while len(await plane.means.log.marked("anchored")) < anchors:
                    await plane.means.store.changed(timeout_ms=500)
                group.cancel_scope.cancel()
    finally:
        await plane.means.store.close()


@pytest.mark.proves("anchor.recorded", "anchor.alarm")
def test_the_log_is_anchored_by_hand_and_by_workers(shell: Shell, tmp_path: Path) -> None:
    """`log anchor` and a worker anchor; a verifier may demand it; a store that was put back ends with 4."""
    folder, witness = shell.place.folder, tmp_path / "witness"
    assert shell("log", "anchor").code == 1
    witnesses.begin(witness, "w.example/w1", [parse_vkey((folder / ".interlock/keys/log.pub").read_text().strip())])
    settings = folder / "interlock.yaml"
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {(witness / 'witness.pub').read_text()}quorum w\n")
    with served(witness) as address:
        key = (witness / "witness.pub").read_text().strip()
        settings.write_text(f"{settings.read_text()}witnesses: [{{url: '{address}', key: {key}}}]\nanchor_every: 1s\n")
        assert shell("verify", "--policy", str(policy)).code == 4
        kept = shutil.copytree(folder / ".interlock", tmp_path / "kept")
        assert shell.json("log", "anchor")["cosigners"] == ["w.example/w1"]
        shell.proposed(1)
        anyio.run(_worked, folder, 2)
        found = shell.json("verify", "--policy", str(policy), "--max-age", "1h")

        assert (found["ok"], found["anchors"]) == (True, 2)
        assert shell("verify", "--policy", str(policy), "--max-age", "0s").code == 2
        assert shell("verify", "--policy", str(settings)).code == 2
        shutil.rmtree(folder / ".interlock")
        kept.rename(folder / ".interlock")
        shell.proposed(2)
        assert shell("log", "anchor").code == 4
    said = shell("log", "anchor")
    assert (said.code, "no quorum" in said.err) == (3, True)


def test_a_policy_that_cannot_be_checked_here_is_said_to_be_so(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness whose algorithm is not installed is an error of the installation, not a finding against the log."""
    policy = tmp_path / "policy"
    key = CosignerKey(name="w.example/pq", public=bytes(1312), kind=MLDSA44)
    policy.write_text(f"witness w {key.vkey()}\nquorum w\n")
    assert shell("verify", "--policy", str(policy)).code == 4
    monkeypatch.setattr(cosigners, "_mldsa", lambda: None)

    assert shell("verify", "--policy", str(policy)).code == 3
