"""One home for all asynchronous work of a client, whether its caller is synchronous or not.

The control plane lives on one event loop. An asynchronous program's own loop becomes that home; for a synchronous one a loop
runs in a thread of ours. Calls from elsewhere are carried over. So there is one implementation, asynchronous, and no
second copy by hand.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from interlock.domain.errors import NotAllowed

P = ParamSpec("P")
T = TypeVar("T")

_AGAIN = "open another client: `interlock.open(...)`"
_ENDED = "the client was closed, or the event loop it lives on ended, while this was under way"
_LOOK_S = 1.0
"""How often a waiting thread looks whether there still is a loop that could answer it."""


def once(work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work(...)` at a home of its own and wait for it, from any thread, one with a running loop included."""
    home = Home()
    try:
        return home.block(work, *args, **kwargs)
    finally:
        home.stop()


class Home:
    """Runs coroutines on the one loop. All methods raise NotAllowed once it is stopped, and in a forked process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def forked(self) -> bool:
        """Whether this is the process that made it no more: nothing of it works here."""
        return self._process != os.getpid()

    async def run(self, work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `work(...)` at home, from any loop. The first loop to ask becomes home."""
        here = asyncio.get_running_loop()
        home = self._home(lambda: here)
        if home is here:
            return await work(*args, **kwargs)
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(*args, **kwargs), home))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise NotAllowed(_ENDED, next_step=_AGAIN) from None

    def block(self, work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(...)` at home and wait for it, from a thread that is not home.

        Raises NotAllowed on the home loop's own thread: waiting there for itself would last for ever.
        """
        home = self._home(self._start)
        if _running() is home:
            raise NotAllowed(
                "a synchronous call on the event loop that would have to run it would wait for ever",
                next_step="await it (`await task.propose(...)`, `async with`, `aclose`, an async tool), or call it "
                "in `asyncio.to_thread`",
            )
        future: Future[T] = asyncio.run_coroutine_threadsafe(work(*args, **kwargs), home)
        try:
            return _awaited(future, home)
        except CancelledError:
            raise NotAllowed(_ENDED, next_step=_AGAIN) from None
        finally:
            # An interrupted caller must not leave its work running unseen: recovery settles what was begun.
            future.cancel()

    def finish(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work()`, which belongs to no loop, and stop; from any thread, also that of home. Twice is once."""
        if self._stopped or self.forked:
            return
        # Home may be the caller, or may be waiting for what `work` ends: so it runs beside it.
        with ThreadPoolExecutor(1, "interlock close") as beside:
            beside.submit(asyncio.run, work()).result()
        self.stop()

    def stop(self) -> None:
        """End the thread of ours, if there is one. Idempotent."""
        if self.forked:
            return
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join()

    def _home(self, otherwise: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
        """The loop that is home; `otherwise` gives one where there is none, or it no longer runs."""
        if self.forked:
            # None of our threads came along, and the lock may have been held.
            raise NotAllowed("this client was opened by the process that forked this one", next_step=_AGAIN)
        with self._lock:
            if self._stopped:
                raise NotAllowed("this client is closed", next_step=_AGAIN)
            if self._loop is None or not self._loop.is_running():
                self._loop = otherwise()
            return self._loop

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        begun = threading.Event()

        def serve() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(begun.set)
            try:
                loop.run_forever()
            finally:
                _end(loop)

        self._thread = threading.Thread(target=serve, name="interlock", daemon=True)
        self._thread.start()
        begun.wait()
        return loop


def _awaited(future: Future[T], home: asyncio.AbstractEventLoop) -> T:
    """The result. A loop of somebody else's may end with our work on it, which then never answers: CancelledError."""
    while True:
        try:
            return future.result(_LOOK_S)
        except TimeoutError:
            if future.done():
                return future.result()
            if not home.is_running():
                raise CancelledError from None


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Close `loop` as `asyncio.run` would: what still runs on it is cancelled, and whoever waits for it hears so."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
