"""The exceptions of gomem. Messages are one line, lower case: the thing, what was got, what was wanted."""


class GomemError(Exception):
    """Base of every error that gomem raises on purpose; the command line prints it and exits with 2."""


class ProfileError(GomemError):
    """A profile could not be read, written or combined."""


class UnsupportedError(GomemError):
    """This interpreter, build or platform cannot run the part that was asked for."""


class UsageError(GomemError):
    """The command line or the environment asked for something that does not exist."""
