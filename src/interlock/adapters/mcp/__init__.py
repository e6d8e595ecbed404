"""Servers of the Model Context Protocol: bounded ways to them, and sessions over these."""

import logging

for _name in ("mcp", "client"):
    # What a stranger sends that is no message is told to whoever waits for it, and written to nobody's terminal unasked.
    logging.getLogger(_name).addHandler(logging.NullHandler())
