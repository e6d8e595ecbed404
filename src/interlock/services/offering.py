"""The log's files without a shelf: each made of the log's rows when somebody asks for it."""

from interlock.domain.errors import IntegrityError
from interlock.domain.log_files import CHECKPOINT, BundleId, named_by
from interlock.domain.tiles import WIDTH, TileError, TileId, encode_bundle
from interlock.ports.log import Log


async def log_file(log: Log, path: str) -> bytes | None:
    """The file that `path` names, or None where the log has none: another name, or more than was recorded so far.

    Raises IntegrityError where what the log holds cannot be that file.
    """
    if path == CHECKPOINT:
        head = await log.head()
        return None if head is None else head.encode()
    match named_by(path):
        case TileId(level=level, n=n, width=width):
            return await log.tile(level, n, width)
        case BundleId() as bundle:
            return await _bundle(log, bundle)
        case None:
            return None


async def _bundle(log: Log, bundle: BundleId) -> bytes | None:
    start = bundle.n * WIDTH
    entries = await log.entries(start, start + bundle.width)
    if len(entries) < bundle.width:
        return None
    try:
        return encode_bundle([each.leaf for each in entries])
    except TileError as error:
        raise IntegrityError(f"{bundle.path()} cannot be shown: {error}") from None
