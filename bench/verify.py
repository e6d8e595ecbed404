"""A log's files verified: its hashes, its signatures, everything; beside the Go team's packages over the same files.

`python -m bench verify` takes a million entries (some minutes and two gigabytes of disk for their making); with
`BENCH_ENTRIES=100000` in the environment it takes fewer. The entries are of the size and form of ours, written from one that
the sealer made, each signed anew. Times are CPU seconds, of the child where another program is asked.
"""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.measure import show
from interlock.adapters.keys import verify
from interlock.adapters.sealer import LogSealer
from interlock.adapters.system import SystemIds
from interlock.domain import dsse
from interlock.domain.ids import StreamId
from interlock.domain.merkle import Frontier, leaf_hash, root_of
from interlock.domain.tiles import (
    WIDTH,
    TileId,
    decode_bundle,
    encode_bundle,
    entries_path,
    grow,
    tiles_of,
)
from interlock.services.verifying import verify_log
from tests.domain.logs import KEYS, filled

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
SIGNATURES = 50_000
EVERYTHING = 20_000
GO = Path(__file__).parents[1] / "tests/foreign/goverify"


def leaves(count: int) -> Iterator[bytes]:
    """So many entries of our form, each another."""
    made = dsse.parse(filled(3).rows[1].leaf)
    before, after = made.payload.split(b'"recordId":"urn:uuid:', 1)
    after = after[36:]
    for n in range(count):
        payload = b'%b"recordId":"urn:uuid:%036d%b' % (before, n, after)
        sig = KEYS.gate.sign(dsse.pae(made.payload_type, payload))
        signature = dsse.Signature(keyid=made.signatures[0].keyid, sig=sig)
        yield dsse.encode(dsse.Envelope(payload=payload, payload_type=made.payload_type, signatures=(signature,)))


def write(folder: Path, count: int) -> int:
    """The files of a log of `count` entries; the bytes of its entries."""
    frontier, size, written = Frontier(), 0, 0
    chunk: list[bytes] = []

    def put(path: str, data: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)

    def flush() -> None:
        nonlocal frontier, size
        hashes = [leaf_hash(each) for each in chunk]
        put(entries_path(size // WIDTH, len(chunk)), encode_bundle(chunk))
        for tile in grow(size, hashes, lambda tile: (folder / tile.path()).read_bytes()):
            put(tile.id.path(), tile.hashes)
        frontier, size = frontier.append(hashes), size + len(chunk)
        chunk.clear()

    for leaf in leaves(count):
        chunk.append(leaf)
        written += len(leaf)
        if len(chunk) == WIDTH:
            flush()
    if chunk:
        flush()
    note = LogSealer(KEYS, StreamId("bench"), SystemIds()).checkpoint(size, frontier.root())
    put("checkpoint", note.encode())
    return written


def hashes(folder: Path, count: int) -> None:
    """Every entry hashed, every tile made from them compared, and the root at the end."""
    above: list[list[bytes]] = [[]]
    frontier = Frontier()
    for start in range(0, count, WIDTH):
        width = min(WIDTH, count - start)
        entries = decode_bundle((folder / entries_path(start // WIDTH, width)).read_bytes())
        found = [leaf_hash(each) for each in entries]
        tile = TileId(level=0, n=start // WIDTH, width=width)
        if b"".join(found) != (folder / tile.path()).read_bytes():
            raise ValueError(tile.path())
        frontier = frontier.append(found)
        if width == WIDTH:
            above[0].append(root_of(found))
    level = 1
    while above[-1]:
        row = above[-1]
        for start in range(0, len(row), WIDTH):
            part = row[start : start + WIDTH]
            tile = TileId(level=level, n=start // WIDTH, width=len(part))
            if b"".join(part) != (folder / tile.path()).read_bytes():
                raise ValueError(tile.path())
        full = len(row) // WIDTH
        above.append([root_of(row[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)])
        level += 1
    if frontier.size != count or not tiles_of(count):
        raise ValueError("the log is not whole")


def signatures(folder: Path, count: int) -> None:
    """The signature of each of the first `count` entries."""
    public = KEYS.gate.verifier.public
    done = 0
    while done < count:
        width = min(WIDTH, ENTRIES - done)
        for leaf in decode_bundle((folder / entries_path(done // WIDTH, width)).read_bytes()):
            envelope = dsse.parse(leaf)
            if not verify(public, dsse.pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig):
                raise ValueError(f"entry {done}")
        done += width


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process for `work`."""
    began = time.process_time()
    work()
    return time.process_time() - began


def go(folder: Path) -> float | None:
    """CPU seconds of the Go program over the same files, or None where there is no Go."""
    where = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    program = folder.parent / "goverify"
    try:
        subprocess.run(["go", "build", "-o", str(program), "."], cwd=GO, env=where, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(program), "log", str(folder), KEYS.log.verifier.vkey()], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def run() -> None:
    """Make the files, verify them, and print."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as name:
        folder = Path(name) / "log"
        size = write(folder, ENTRIES)
        some = min(SIGNATURES, ENTRIES)
        ours, signed, theirs = cpu(partial(hashes, folder, ENTRIES)), cpu(partial(signatures, folder, some)), go(folder)
    log = filled(EVERYTHING)
    began = time.process_time()
    reading = await verify_log(log, KEYS.log.verifier, (KEYS.gate.verifier,), verify)
    whole = time.process_time() - began
    if reading.verification.findings:
        raise ValueError(reading.verification.findings[0].problem)
    rows = [
        ("hashes, tiles and root", f"{ENTRIES:,}", f"{ours:.1f}", f"{ENTRIES / ours:,.0f}"),
        ("signatures", f"{some:,}", f"{signed:.1f}", f"{some / signed:,.0f}"),
        (
            "everything: also Statements, streams, clear texts",
            f"{EVERYTHING:,}",
            f"{whole:.1f}",
            f"{EVERYTHING / whole:,.0f}",
        ),
    ]
    if theirs is not None:
        rows.append(
            ("Go x/mod/sumdb: hashes, tiles and root", f"{ENTRIES:,}", f"{theirs:.1f}", f"{ENTRIES / theirs:,.0f}")
        )
    show(
        "A log's files verified",
        ("", "entries", "CPU s", "entries/s of CPU"),
        tuple(rows),
        f"{size / ENTRIES:,.0f} bytes an entry",
    )
