"""The bodies of requests and answers as JSON: one module for each kind of thing. The API and its client share them."""
