"""Pictures drawn here: they need no script, take the colours of the theme, and say in words what they show."""

from markupsafe import Markup

WIDE = 1000


def bar(start: float, end: float, tone: str, label: str) -> Markup:
    """A stretch of an axis, from `start` to `end` as shares of it. `tone` is one of ours: `people`, `quiet`, `good`, `bad`."""
    left = max(0, min(WIDE - 6, round(start * WIDE)))
    width = max(6, min(WIDE - left, round((end - start) * WIDE)))
    return Markup(
        '<svg class="axis" viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="rail" x="0" y="5" width="1000" height="2"/>'
        '<rect class="bar {}" x="{}" y="1" width="{}" height="10"/></svg>'
    ).format(label, tone, left, width)
