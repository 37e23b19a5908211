"""A finished model in other runtimes' forms, and those runtimes as recognizers that judge them."""
