# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node whose callbacks never raise into the executor."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Optional

from rclpy.lifecycle import LifecycleNode

MAX_REASON = 300  # characters of an exception that are shown


class GuardedNode(LifecycleNode):
    """A node that survives exceptions of its subscriptions, timers and services.

    An exception of a callback would leave the executor and end the process while a robot walks.
    Here :meth:`on_exception` is called instead. A service that raised responds with ``success``
    false and the reason in ``message``, if its response has these fields. Lifecycle transitions
    are not included: rclpy calls them itself and converts their exceptions to an error.
    """

    def on_exception(self, where: str, reason: str) -> None:
        """Make the robot safe; must not raise.

        Args:
            where: The topic, service or callback.
            reason: The exception's type and text.
        """
        raise NotImplementedError

    def guarded(self, callback: Callable[..., Any], where: str) -> Callable[..., Any]:
        """Return a callback whose exceptions are passed to :meth:`on_exception`."""
        if inspect.iscoroutinefunction(inspect.unwrap(callback)):
            @functools.wraps(callback)
            async def guard(*arguments: Any) -> Any:
                try:
                    return await callback(*arguments)
                except Exception as error:
                    return self._caught(where, error, arguments)
        else:
            @functools.wraps(callback)
            def guard(*arguments: Any) -> Any:
                try:
                    return callback(*arguments)
                except Exception as error:
                    return self._caught(where, error, arguments)
        return guard

    def _caught(self, where: str, error: Exception, arguments: Any) -> Any:
        reason = describe(error)
        self.on_exception(where, reason)
        response: Any = arguments[-1] if arguments else None
        if hasattr(response, 'success') and hasattr(response, 'message'):
            response.success, response.message = False, f'{where}: {reason}'
        return response

    def create_subscription(self, msg_type: Any, topic: str, callback: Any, *args: Any,
                            **kwargs: Any) -> Any:
        """Create a subscription whose callback is guarded; arguments as rclpy's."""
        return super().create_subscription(
            msg_type, topic, self.guarded(callback, topic), *args, **kwargs)

    def create_timer(self, timer_period_sec: float, callback: Optional[Any], *args: Any,
                     **kwargs: Any) -> Any:
        """Create a timer whose callback is guarded; arguments as rclpy's."""
        guard = None if callback is None else self.guarded(callback, 'timer')
        return super().create_timer(timer_period_sec, guard, *args, **kwargs)

    def create_service(self, srv_type: Any, srv_name: str, callback: Any, *args: Any,
                       **kwargs: Any) -> Any:
        """Create a service whose callback is guarded; arguments as rclpy's."""
        return super().create_service(
            srv_type, srv_name, self.guarded(callback, srv_name), *args, **kwargs)


def describe(error: Exception) -> str:
    """Return an exception's type and text in one line of bounded length."""
    try:
        text = ' '.join(str(error)[:10 * MAX_REASON].split())
    except Exception:  # an exception whose text cannot be computed
        text = ''
    text = text if len(text) <= MAX_REASON else f'{text[:MAX_REASON]}...'
    return f'{type(error).__name__}: {text}' if text else type(error).__name__
