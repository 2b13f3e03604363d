"""`python -m web` is `lagebild`."""

import sys

from .cli import main

sys.exit(main())
