"""Figures read on to the log's head, for whoever asks for them once."""

from interlock.domain.errors import StoreCorrupt
from interlock.services.following import Progress
from interlock.services.plane import ControlPlane


async def figures_read(plane: ControlPlane, progress: Progress | None = None) -> None:
    """Bring the figures to the log's head. A file of them that is damaged is thrown away and made again, once: it is no
    evidence. Raises InterlockError."""
    try:
        await plane.figures.catch_up(progress)
    except StoreCorrupt:
        await plane.figures.begin_again()
        await plane.figures.catch_up(progress)
