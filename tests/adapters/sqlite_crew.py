"""One process of several on one store: started by tests, killed by them, and telling on standard output what it was told.

python sqlite_crew.py FILE SEED write ACTORS SECONDS    a line for each change that was acknowledged, then a summary
python sqlite_crew.py FILE SEED hold                    takes the turnstile, says so, and stops itself
python sqlite_crew.py FILE SEED hog SECONDS             writes all the time, 20 ms a transaction, not a moment between
python sqlite_crew.py FILE SEED lock                    begins a transaction, says so, and stops itself
python sqlite_crew.py FILE SEED cramped BYTES           no file may grow beyond BYTES: says how that ended
"""

import asyncio
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import apsw

from interlock.adapters.keys import Keys, SigningKey
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite import SqliteStore
from interlock.adapters.sqlite.turnstile import Turnstile
from interlock.adapters.system import SystemIds
from interlock.domain.budget import Draw
from interlock.domain.change import Change
from interlock.domain.errors import StoreError
from interlock.domain.ids import StreamId, Tenant
from interlock.testing.conformance.making import action, budget, fact

TENANT = Tenant("default")
PURSE = budget(10**9)


def keys_of(seed: str) -> Keys:
    """The same keys in every process that is given the same seed."""
    return Keys(log=SigningKey("log.example", bytes.fromhex(seed)), gate=SigningKey("gate", bytes.fromhex(seed)))


def opened(path: Path, seed: str, *, busy_ms: int = 5000) -> SqliteStore:
    """A store of this process, with a stream of its own."""
    ids = SystemIds()
    return SqliteStore.open(path, TENANT, LogSealer(keys_of(seed), StreamId(ids.new()), ids), busy_ms=busy_ms)


def say(**words: object) -> None:
    """One line, at once."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def change(store: SqliteStore) -> str:
    """Store an action with its fact and one call of the budget, and give its id."""
    new = action()
    draw = Draw(budget=PURSE.key, move="reserve", amount=1)
    await store.commit(Change(puts=(new,), draws=(draw,), facts=(fact(new),)))
    return new.id


async def write(path: Path, seed: str, actors: int, seconds: float) -> None:
    """Change as fast as `actors` can for so long, one change after the other each."""
    store = opened(path, seed)
    say(ready=os.getpid())
    until = time.monotonic() + seconds
    waits: list[float] = []

    async def act() -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            made = await change(store)
            waits.append(time.monotonic() - began)
            say(stored=made)

    await asyncio.gather(*(act() for _ in range(actors)))
    await store.close()
    say(count=len(waits), longest=max(waits))


async def cramped(path: Path, seed: str, limit: int) -> None:
    """Change until a file may not grow, then until it may again."""
    store = opened(path, seed)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    stored, error = 0, ""
    while not error and stored < 10_000:
        try:
            say(stored=await change(store))
            stored += 1
        except StoreError as failure:
            error = failure.code
    say(error=error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(stored=await change(store))
    await store.close()


def hold(path: Path) -> None:
    """Stand in the turnstile."""
    turnstile = Turnstile(path)
    turnstile.enter()
    say(holding=os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    turnstile.leave()


def hog(path: Path, seconds: float) -> None:
    """Write without a pause, as a store with a long queue does."""
    turnstile = Turnstile(path)
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    say(ready=os.getpid())
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        turnstile.enter()
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(0.02)
        connection.execute("COMMIT")
        turnstile.leave()
    connection.close()


def lock(path: Path) -> None:
    """Stand in a transaction."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")
    say(holding=os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    connection.execute("COMMIT")
    connection.close()


def main(path: Path, seed: str, what: str, *numbers: str) -> None:
    """Do what the command line says."""
    match what:
        case "write":
            asyncio.run(write(path, seed, int(numbers[0]), float(numbers[1])))
        case "cramped":
            asyncio.run(cramped(path, seed, int(numbers[0])))
        case "hold":
            hold(path)
        case "hog":
            hog(path, float(numbers[0]))
        case "lock":
            lock(path)
        case _:
            raise SystemExit(f"what is `{what}`?")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
