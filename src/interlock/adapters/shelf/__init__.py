"""Files for others to read, in a folder or in a zip archive."""

from interlock.adapters.shelf.archive import zip_shelf
from interlock.adapters.shelf.folder import FolderShelf

__all__ = ["FolderShelf", "zip_shelf"]
