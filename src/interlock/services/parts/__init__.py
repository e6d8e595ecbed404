"""The parts of the plane, one a file: which services belong together, and how each part is put together."""
