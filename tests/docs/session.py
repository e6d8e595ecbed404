"""The Python of one page, in a process of its own: blocks arrive on standard input and share one namespace.

Each line in is JSON `{"source", "name", "line"}`; each line out is JSON `{"printed", "problem"}`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from pathlib import Path


def main() -> None:
    """Run what arrives until there is no more. Nothing but answers goes to standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[0] = str(Path.cwd())  # as `python page.py` in the page's folder would have it
    namespace: dict[str, object] = {"__name__": "__main__"}
    for request in sys.stdin:
        block = json.loads(request)
        printed, problem = io.StringIO(), ""
        # Empty lines in front make the traceback name the page's own line.
        source = "\n" * (block["line"] - 1) + block["source"]
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(source, block["name"], "exec"), namespace)  # noqa: S102 the documentation is ours
            except BaseException:  # noqa: BLE001 whatever an example does wrong is reported
                problem = traceback.format_exc()
        answers.write(json.dumps({"printed": printed.getvalue(), "problem": problem}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
