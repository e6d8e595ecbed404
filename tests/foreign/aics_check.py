"""Run by the Python that has aics-tlog: holds folders of a log's files against it, each with the log's key given beforehand.

python aics_check.py VKEY FOLDER...      one JSON line a folder: {"size": 600} or {"error": "..."}
"""

import json
import sys
from pathlib import Path

from aics_tlog.checkpoint import verify_checkpoint
from aics_tlog.note import parse_note, parse_vkey
from aics_tlog.tiles import FileSystemTileReader, TileMissingError, TileVerificationError
from aics_tlog.verified import audit_tiles


def checked(folder: Path, vkey: str) -> dict[str, object]:
    """Checkpoint, every tile, every entry."""
    try:
        found = verify_checkpoint(parse_note((folder / "checkpoint").read_text()), parse_vkey(vkey))
        if not found.ok or found.size is None or found.root is None:
            return {"error": f"checkpoint: {found.error}"}
        report = audit_tiles(FileSystemTileReader(folder), found.size, found.root)
    except (TileMissingError, TileVerificationError, ValueError, OSError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"size": report.size}


if __name__ == "__main__":
    for name in sys.argv[2:]:
        sys.stdout.write(json.dumps(checked(Path(name), sys.argv[1])) + "\n")
