"""The stages of a job, one function each, and the walk through all of them in one process."""
