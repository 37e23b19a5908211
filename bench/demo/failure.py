"""Why the demo stops, apart from what the service and its client say."""


class DemoFailed(Exception):
    """The demo cannot go on; the text says what to do."""
