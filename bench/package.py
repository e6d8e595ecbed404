"""What an installation brings: `import interlock`, and the packages behind it."""

import statistics
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from bench.measure import show

RUNS = 11


async def run() -> None:
    """Measure in fresh interpreters and print."""
    bare = statistics.median(cpu("pass") for _ in range(RUNS))
    ours = statistics.median(cpu("import interlock") for _ in range(RUNS))
    used = statistics.median(cpu("import interlock; interlock.tool; interlock.open") for _ in range(RUNS))
    packages = needed("interlock")
    size = sum(size_of(each) for each in packages.values()) / 1e6
    show(
        "What it brings",
        ("", "figure", "bound"),
        (
            ("`import interlock`, CPU s, the interpreter's own start taken off", f"{ours - bare:.3f}", "0.3"),
            ("`interlock.open` and `interlock.tool` loaded too, CPU s", f"{used - bare:.3f}", ""),
            ("packages installed, itself included", f"{len(packages)}", "45"),
            ("their size, MB", f"{size:.0f}", "80"),
        ),
        ", ".join(sorted(packages)),
    )


def cpu(code: str) -> float:
    """CPU seconds of a fresh interpreter that runs `code`."""
    program = f"import time; {code}; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)


def needed(name: str) -> dict[str, Distribution]:
    """The distribution and everything it requires here, by name."""
    known = {each.metadata["Name"].lower().replace("_", "-"): each for each in distributions()}
    found: dict[str, Distribution] = {}
    left = [name]
    while left:
        wanted = left.pop()
        if wanted in found or wanted not in known:
            continue
        found[wanted] = known[wanted]
        for text in known[wanted].requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(requirement.name.lower().replace("_", "-"))
    return found


def size_of(distribution: Distribution) -> int:
    """Bytes of its files."""
    paths = (Path(str(file.locate())) for file in distribution.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")
