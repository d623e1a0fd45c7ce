"""Start the demo: :mod:`lab.demo` beside this file has the logic."""

from __future__ import annotations

import sys

from lab.demo import main

sys.exit(main(sys.argv[1:]))
