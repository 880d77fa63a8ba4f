"""`python -m which_notebook`."""

import sys

from .cli import main

sys.exit(main())
