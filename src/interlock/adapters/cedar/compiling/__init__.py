"""Cedar's own typed tree as Python functions: the same answers in microseconds.

`runtime` has the operations that Python has not, `expressions` turns one tree into another, `functions` makes them callable.
What is built is a tree of checked nodes from first to last; no text is ever put together or parsed.
"""

from interlock.adapters.cedar.compiling.expressions import Unsupported, refusal
from interlock.adapters.cedar.compiling.functions import Matcher, matcher

__all__ = ["Matcher", "Unsupported", "matcher", "refusal"]
