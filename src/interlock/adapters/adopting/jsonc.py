"""JSON as editors keep it: with comments, and commas behind the last member. Linear in the text, whatever it is."""

import json
import re
from typing import Final

from interlock.domain.canonical import JsonValue

_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|//[^\n]*|/\*(?:.|\n)*?(?:\*/|\Z)', re.DOTALL)
_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)


def jsonc(text: str) -> JsonValue:
    """The value that `text` holds. Raises ValueError, with the line where that is known."""
    try:
        # Plain JSON, which it is as a rule, is not looked at more closely.
        found: JsonValue = json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except ValueError:
        return _loosely(text)
    return found


def _loosely(text: str) -> JsonValue:
    plain = _COMMENT.sub(lambda found: found[1] or " ", text)
    try:
        read: JsonValue = json.loads(_COMMA.sub(lambda found: found[1] or "", plain))
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    return read
