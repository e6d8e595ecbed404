"""`python -m bench.tau2`: the retail benchmark through the gate."""

import sys

from bench.tau2.run import main

sys.exit(main())
