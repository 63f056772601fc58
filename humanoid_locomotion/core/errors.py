"""The errors of this package: each says what was found, what was expected and where.

Every class takes facts and writes its own sentence, so that call sites stay one line and the
wording is the same everywhere. The command line turns any of them into one line and exit code 2.
"""

from __future__ import annotations

import difflib
from typing import Iterable

MAX_MESSAGE = 2000  # characters; what a message quotes may be as long as a file


def printable(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text as it may be printed, logged and sent anywhere.

    A text longer than ``limit`` loses its middle. Characters that do not print, such as escape
    sequences of a terminal and bytes of a file's name that are not UTF-8, are written as escapes.
    """
    if len(text) > limit:
        text = f'{text[:limit // 2]} [...] {text[-(limit // 2):]}'
    if text.isprintable():
        return text
    return ''.join(it if it.isprintable() or it in '\n\t'
                   else it.encode('unicode_escape').decode('ascii') for it in text)


class LocomotionError(Exception):
    """The root of every error that this package raises on purpose.

    Args:
        message: What was found and what was expected; kept as :func:`printable` gives it.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


class ConfigError(LocomotionError, ValueError):
    """A file's content is not what its reader needs.

    Args:
        source: The file (or other origin) the value came from.
        key: The dotted path of the offending key, empty for the file as a whole.
        problem: What was found and what was expected.
    """

    def __init__(self, source: object, key: str, problem: str):
        self.source, self.key, self.problem = str(source), key, problem
        super().__init__(f'{source}: {key + ": " if key else ""}{problem}')


class UnknownNameError(LocomotionError, LookupError):
    """A name that nothing answers to; the message lists the names that exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self.kind, self.name, self.known = kind, name, sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1)
        hint = f' (did you mean {close[0]!r}?)' if close else ''
        listed = ', '.join(self.known) or 'none'
        super().__init__(f'unknown {kind} {name!r}{hint}; there is: {listed}')


class JointsError(LocomotionError, ValueError):
    """Joints that are needed and absent, by name."""

    def __init__(self, where: str, missing: Iterable[str], found: Iterable[str]):
        self.missing = list(missing)
        super().__init__(
            f'{where}: missing joints {self.missing}; it has {list(found)}')


class PolicyError(LocomotionError):
    """A policy folder that must not be run."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = str(path), problem
        super().__init__(f'{path}: {problem}')


class MissingPackageError(LocomotionError, ImportError):
    """Something asked for needs a package that is not installed."""

    def __init__(self, what: str, package: str, install: str):
        self.package = package
        super().__init__(
            f'{what} needs the package {package!r}, which is not installed: {install}')


class CheckpointError(LocomotionError):
    """A training checkpoint that does not fit what it is asked to continue."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = path, problem
        super().__init__(f'{path}: {problem}')


class RunFolderError(LocomotionError):
    """A run folder that a training must not write to, or cannot."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = path, problem
        super().__init__(f'{path}: {problem}')


class DivergedError(LocomotionError, ArithmeticError):
    """A training run whose figures are no longer numbers."""

    def __init__(self, iteration: int, figures: Iterable[str], last_good: object):
        self.iteration, self.figures = iteration, sorted(figures)
        super().__init__(
            f'training diverged in iteration {iteration}: {self.figures} are not finite; the last '
            f'good checkpoint is {last_good}, go on from it with a lower ppo.learning_rate or '
            'ppo.desired_kl: --resume RUN --set ppo.desired_kl=... --accept-changes')


class SimulationError(LocomotionError, RuntimeError):
    """A simulator that could not do what the port promises."""


class MessageError(LocomotionError, ValueError):
    """A message whose content must not reach the policy."""

    def __init__(self, topic: str, problem: str):
        self.topic, self.problem = topic, problem
        super().__init__(f'{topic}: {problem}')


class RefusedError(LocomotionError):
    """A request that the robot's present state does not allow."""

    def __init__(self, request: str, reason: str):
        self.request, self.reason = request, reason
        super().__init__(f'{request}: refused, {reason}')
