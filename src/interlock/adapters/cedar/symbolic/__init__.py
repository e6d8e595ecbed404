"""Searching among all possible requests, by the solver z3: an optional part of the installation (`interlock[proofs]`).

`variables` and `request` say which requests there are, `expressions` what a policy makes of one, `decision` what follows,
`slices` whom it concerns; `solver` asks, and `reading` makes a question of what was found. Where something cannot be
said, the answer is that nobody knows.
"""

from interlock.adapters.cedar.symbolic.solver import Z3Solver

__all__ = ["Z3Solver"]
