"""What ends a job."""


class BatchError(Exception):
    """A job cannot begin, or cannot go on; its text says why."""
