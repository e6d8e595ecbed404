"""Fetch what `console/vendor.toml` names from npm, on a developer's machine: `python -m scripts.vendor [--take]`.

Without `--take` it says whether the files are those that npm has; with it they are put in place, and the hashes written.
Needs npm. Nothing of this runs at a user's.
"""

import subprocess
import sys
import tarfile
import tempfile
import tomllib
from hashlib import sha256
from pathlib import Path

CONSOLE = Path(__file__).parent.parent / "src/interlock/console"
LIST = CONSOLE / "vendor.toml"


def main() -> int:
    """Compare, or take."""
    take, wrong = "--take" in sys.argv[1:], 0
    text = LIST.read_text()
    for name, each in tomllib.loads(text).items():
        data = fetched(each["package"], each["version"], each["path"])
        found = sha256(data).hexdigest()
        if take:
            (CONSOLE / "static" / each["file"]).write_bytes(data)
            text = text.replace(each["sha256"], found)
        elif found != each["sha256"]:
            wrong += 1
            print(f"{name}: npm has {found}, the list says {each['sha256']}")  # noqa: T201  the program's answer
    if take:
        LIST.write_text(text)
    return 1 if wrong else 0


def fetched(package: str, version: str, path: str) -> bytes:
    """One file of a package, as the registry has it."""
    with tempfile.TemporaryDirectory() as folder:
        packed = ["npm", "pack", "--silent", f"{package}@{version}"]
        name = subprocess.run(packed, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603  a fixed program
        with tarfile.open(Path(folder) / name.stdout.split()[-1]) as archive:
            member = archive.extractfile(f"package/{path}")
            if member is None:
                raise SystemExit(f"{package} {version} has no `{path}`")
            return member.read()


if __name__ == "__main__":
    sys.exit(main())
