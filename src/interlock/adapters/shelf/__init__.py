"""Files for others to read: in a folder, or (`archive`, loaded when it is asked for) in a zip archive."""

from interlock.adapters.shelf.folder import FolderShelf

__all__ = ["FolderShelf"]
