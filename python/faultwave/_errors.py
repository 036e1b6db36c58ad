# SPDX-License-Identifier: Apache-2.0
"""What Faultwave raises. Each message is one sentence: what, where, what was expected, what to do."""


class Error(Exception):
    """A mistake in what Faultwave was given. Whatever was being done is undone."""


class UsageError(Error, ValueError):
    """An argument, a fault line or a specification that cannot be understood."""


class InputError(Error, ValueError):
    """An input or a file that is missing, damaged, or of the wrong shape or type."""


class NetworkError(Error, RuntimeError):
    """A network that cannot be opened or run."""


class IllegalFaultError(Error, ValueError):
    """A fault that names no site, lies outside the legal range, or hit nothing."""


class StoreError(Error, OSError):
    """A database that exists, is damaged, is in use, or cannot be written."""


class MismatchError(Error, ValueError):
    """A resumed, replayed or merged campaign that differs from what was recorded."""


class InternalError(Exception):
    """A mistake of Faultwave itself, which nothing that a user does should bring about: please report it."""
