"""The error tree of the house. Every error has a text that may be shown and a detail that only the log may see.

    FedcorpError
    |-- ConfigError          the configuration cannot be used; the text names the cause and the cure
    |-- BadRequest           the request or document is malformed
    |-- Unauthorized         no or wrong credentials, or a signature that does not hold
    |-- Forbidden            known, but not allowed
    |-- NotFound             does not exist, or its existence is not shown to this viewer
    |-- MethodNotAllowed     the place exists, but not for this method
    |-- NotAcceptable        no representation that the caller wants
    |-- Misdirected          the request is for a host that is not ours
    |-- Conflict             clashes with what exists
    |-- Gone                 existed and was deleted
    |-- TooLarge             larger than the limit
    |-- UnsupportedMedia     a content type that is not taken here
    |-- Unprocessable        understood, but breaks a rule; the text says which
    |-- TooManyRequests      slow down; `retry_after` in seconds
    `-- Unavailable          try again later; `retry_after` in seconds

Which HTTP status belongs to which error is decided in `fedcorp.web.problems` and nowhere else.
"""

import logging


class FedcorpError(Exception):
    """Base of all errors that are meant: `text` is safe to show, `detail` is for the log only."""

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.detail = detail


class ConfigError(FedcorpError):
    """The configuration cannot be used."""


class BadRequest(FedcorpError):
    """The request or document is malformed."""


class Unauthorized(FedcorpError):
    """Credentials are missing or wrong, or a signature does not hold."""


class Forbidden(FedcorpError):
    """The caller is known but may not do this."""


class NotFound(FedcorpError):
    """There is no such thing, or none that this viewer may know of (one answer for both)."""

    def __init__(self, text: str = "Record not found", detail: str = "") -> None:
        super().__init__(text, detail)


class MethodNotAllowed(FedcorpError):
    """The place exists, but not for this method."""


class NotAcceptable(FedcorpError):
    """No representation that the caller accepts."""


class Misdirected(FedcorpError):
    """The request names a host that this instance does not serve."""


class Conflict(FedcorpError):
    """Clashes with what exists."""


class Gone(FedcorpError):
    """Existed once and was deleted."""


class TooLarge(FedcorpError):
    """Larger than the limit that the text names."""


class UnsupportedMedia(FedcorpError):
    """A content type that is not taken here."""


class Unprocessable(FedcorpError):
    """Understood, but breaks the rule that the text names."""


class TooManyRequests(FedcorpError):
    """Too many requests; try again after `retry_after` seconds."""

    def __init__(self, text: str, detail: str = "", *, retry_after: int = 60) -> None:
        super().__init__(text, detail)
        self.retry_after = retry_after


class Unavailable(FedcorpError):
    """Not possible now; try again after `retry_after` seconds."""

    def __init__(self, text: str, detail: str = "", *, retry_after: int = 30) -> None:
        super().__init__(text, detail)
        self.retry_after = retry_after


def report(log: logging.Logger, error: BaseException, what: str, *args: object) -> None:
    """Log that something failed (`what` and its arguments, as `logging` takes them): in one line where the error is
    meant, such as a database that is away, and with a trace where nobody expected it."""
    if isinstance(error, FedcorpError):
        log.error("%s: %s %s", what % args, error.text, error.detail)
    else:
        log.error(what, *args, exc_info=error)
