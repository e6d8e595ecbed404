"""Every parser of the evidence under a fuzzer that watches which code it reaches: `make fuzz-parsers [SECONDS=60]`.

    python -m bench.battery.parsers SECONDS            each target of tests/battery/hostile.py for so long
    python -m bench.battery.parsers PARSER SECONDS     one of them

Atheris wants Python 3.12 or newer, so this runs in an environment of its own. What a parser raises beyond what it says it
raises ends the run, with the input beside it.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["interlock", "interlock_verify"]):
    from tests.battery.hostile import TARGETS, refused, ugly

LONGEST = 8192


def main(name: str, seconds: int) -> None:
    """Fuzz one parser for so long."""
    target = TARGETS[name]
    until = time.monotonic() + seconds
    runs = 0

    def once(data: bytes) -> None:
        nonlocal runs
        runs += 1
        refused(target, data)
        if time.monotonic() > until:
            sys.stdout.write(f"{name}: {runs:,} inputs in {seconds} s, nothing but what it says it raises\n")
            sys.stdout.flush()
            # The fuzzer's own loop has no other way out that it does not call a failure.
            os._exit(0)

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate((target.good, *ugly(target))):
            if len(seed) <= LONGEST:
                (Path(corpus) / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds + 5}", f"-max_len={LONGEST}", "-artifact_prefix=.foreign/", corpus]
        atheris.Setup([sys.argv[0], *options], once)
        atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(sys.argv[1], int(sys.argv[2]))
    else:
        # The fuzzer ends its process: each parser has one of its own.
        for each in TARGETS:
            subprocess.run([sys.executable, "-m", "bench.battery.parsers", each, sys.argv[1]], check=True)
