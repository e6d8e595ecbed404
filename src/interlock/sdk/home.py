"""One home for all asynchronous work of a client, whether its caller is synchronous or not.

The control plane lives on one event loop. An asynchronous program's own loop becomes that home; for a synchronous one a loop
runs in a thread of ours. Calls from elsewhere are carried over. So there is one implementation, asynchronous, and no
second copy by hand.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from interlock.domain.errors import NotAllowed

P = ParamSpec("P")
T = TypeVar("T")


class Home:
    """Runs coroutines on the one loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `work(...)` at home, from any loop. The first loop to ask becomes home."""
        here = asyncio.get_running_loop()
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._loop = here
            home = self._loop
        if home is here:
            return await work(*args, **kwargs)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(*args, **kwargs), home))

    def block(self, work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(...)` at home and wait for it, from a thread that is not home.

        Raises NotAllowed on the home loop's own thread: waiting there for itself would last for ever.
        """
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._loop = self._start()
            home = self._loop
        if _running() is home:
            raise NotAllowed(
                "a synchronous tool was called on the event loop that would have to run it",
                next_step="use `await task.propose(...)`, make the tool async, or call it in `asyncio.to_thread`",
            )
        future: Future[T] = asyncio.run_coroutine_threadsafe(work(*args, **kwargs), home)
        try:
            return future.result()
        except BaseException:
            # An interrupted caller must not leave its work running unseen: recovery settles what was begun.
            future.cancel()
            raise

    def stop(self) -> None:
        """End the thread of ours, if there is one. Idempotent."""
        with self._lock:
            loop, thread, self._thread = self._loop, self._thread, None
            if thread is None:
                return
            self._loop = None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()

        def serve() -> None:
            asyncio.set_event_loop(loop)
            try:
                loop.run_forever()
            finally:
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
                loop.close()

        self._thread = threading.Thread(target=serve, name="interlock", daemon=True)
        self._thread.start()
        return loop


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
