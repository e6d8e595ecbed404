"""Several processes that say `ready`, wait for a line, and then all go at once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


def at_once(script: str, *words: str, processes: int = 4) -> list[Any]:
    """Run `script` in so many processes, let them go together, and give what their JSON lists hold, all in one list."""
    command = [sys.executable, "-c", script, *words]
    crowd = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(processes)
    ]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [each for process in crowd for each in json.loads(process.communicate(timeout=PATIENCE_S)[0])]
