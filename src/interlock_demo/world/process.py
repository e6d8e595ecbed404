"""Starts, kills and restarts the payment service of a shop."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType

import httpx

from interlock_demo.world.payments import Faults
from interlock_demo.world.place import Place


class PaymentProcess:
    """The service as a child process. Leaving the `with` block ends it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> PaymentProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise RuntimeError("the payment service is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the service and publish its address; returns once it listens."""
        command = [sys.executable, "-m", "interlock_demo.world.payments", "--db", str(self.place.payments_db)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own module
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError("the payment service did not start")
        url = f"http://127.0.0.1:{json.loads(line)['port']}"
        written = self.place.address_file.with_suffix(".new")
        written.write_text(url, encoding="utf-8")
        written.replace(self.place.address_file)

    def misbehave(self, faults: Faults) -> None:
        """Make the running service slow, or let it die after an effect."""
        body = {"delay_ms": faults.delay_ms, "crash_after_effects": faults.crash_after_effects}
        httpx.post(f"{self.place.payments_url()}/admin/faults", json=body, trust_env=False).raise_for_status()

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for the process to end, whatever ends it; its exit status."""
        if self._process is None:
            raise RuntimeError("the payment service is not running")
        status = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status
