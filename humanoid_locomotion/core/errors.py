# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exceptions of this package; each message gives what was found, what was expected and where.

Every class composes its message from its arguments, so that each raise is one line and the
wording is uniform. The command line prints any of them as one line and exits with code 2.
"""

from __future__ import annotations

import difflib
from typing import Iterable

MAX_MESSAGE = 2000  # characters; a message may quote the content of a file


def printable(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text that is safe to print, log and send.

    The middle of a text longer than ``limit`` is removed. Non-printing characters, such as
    terminal escape sequences and non-UTF-8 bytes of a file name, are replaced by escapes.
    """
    if len(text) > limit:
        text = f'{text[:limit // 2]} [...] {text[-(limit // 2):]}'
    if text.isprintable():
        return text
    return ''.join(it if it.isprintable() or it in '\n\t'
                   else it.encode('unicode_escape').decode('ascii') for it in text)


class LocomotionError(Exception):
    """Base class of all errors of this package.

    Args:
        message: What was found and what was expected; stored as returned by :func:`printable`.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


class ConfigError(LocomotionError, ValueError):
    """The content of a file is not valid.

    Args:
        source: The file (or other origin) of the value.
        key: The dotted path of the offending key, empty for the file as a whole.
        problem: What was found and what was expected.
    """

    def __init__(self, source: object, key: str, problem: str):
        self.source, self.key, self.problem = str(source), key, problem
        super().__init__(f'{source}: {key + ": " if key else ""}{problem}')


class UnknownNameError(LocomotionError, LookupError):
    """An unknown name; the message lists the known names."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self.kind, self.name, self.known = kind, name, sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1)
        hint = f' (did you mean {close[0]!r}?)' if close else ''
        listed = ', '.join(self.known) or 'none'
        super().__init__(f'unknown {kind} {name!r}{hint}; there is: {listed}')


class JointsError(LocomotionError, ValueError):
    """Required joints are missing; the message names them."""

    def __init__(self, where: str, missing: Iterable[str], found: Iterable[str]):
        self.missing = list(missing)
        super().__init__(
            f'{where}: missing joints {self.missing}; it has {list(found)}')


class PolicyError(LocomotionError):
    """A policy folder is not valid and must not be run."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = str(path), problem
        super().__init__(f'{path}: {problem}')


class MissingPackageError(LocomotionError, ImportError):
    """A requested feature needs a package that is not installed."""

    def __init__(self, what: str, package: str, install: str):
        self.package = package
        super().__init__(
            f'{what} needs the package {package!r}, which is not installed: {install}')


class CheckpointError(LocomotionError):
    """A training checkpoint is not compatible with the training to resume."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = path, problem
        super().__init__(f'{path}: {problem}')


class RunFolderError(LocomotionError):
    """A run folder that a training run must not or cannot write to."""

    def __init__(self, path: object, problem: str):
        self.path, self.problem = path, problem
        super().__init__(f'{path}: {problem}')


class DivergedError(LocomotionError, ArithmeticError):
    """A training run diverged: values are NaN or infinite."""

    def __init__(self, iteration: int, metrics: Iterable[str], last_good: object):
        self.iteration, self.metrics = iteration, sorted(metrics)
        super().__init__(
            f'training diverged in iteration {iteration}: {self.metrics} are not finite; the last '
            f'good checkpoint is {last_good}, resume from it with a lower ppo.learning_rate or '
            'ppo.desired_kl: --resume RUN --set ppo.desired_kl=... --accept-changes')


class SimulationError(LocomotionError, RuntimeError):
    """A simulator failed to do what the backend interface requires."""


class MessageError(LocomotionError, ValueError):
    """A ROS message is not valid and is not passed to the policy."""

    def __init__(self, topic: str, problem: str):
        self.topic, self.problem = topic, problem
        super().__init__(f'{topic}: {problem}')


class RefusedError(LocomotionError):
    """A request is not allowed in the robot's current state."""

    def __init__(self, request: str, reason: str):
        self.request, self.reason = request, reason
        super().__init__(f'{request}: refused, {reason}')
