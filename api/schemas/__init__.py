"""The bodies of requests and answers as JSON, and the ids in paths: one module for each kind of thing."""
