"""`python -m chat` is `unsaid`."""

import sys

from chat.cli import main

sys.exit(main())
