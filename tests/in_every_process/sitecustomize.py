"""Python imports this at every start; the tests put its folder on the path of the processes that they start."""

import loopback_only

loopback_only.watch()
