"""A finished model in the forms of other runtimes, and those runtimes as recognizers that test them."""
