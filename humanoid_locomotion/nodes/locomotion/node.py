# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node that runs a policy: velocity commands in, joint targets out."""

from __future__ import annotations

import dataclasses
import functools
import gc
import sys
import threading
from typing import Any, Callable, Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError, RefusedError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.policy.vetting import open_vetted
from humanoid_locomotion.nodes.locomotion.ros_interface import RosInterface
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, run
from humanoid_locomotion.nodes.ros.guarded import GuardedNode, describe
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters, declare, read
from humanoid_locomotion.nodes.ros.status import StatusPublisher

AUTOSTART_PERIOD = 0.1  # [s]
WAITING_LOG_PERIOD = 5.0  # [s]
EXCEPTION_LOG_PERIOD = 1.0  # [s]
# While a policy is opened in another thread, the control loop must get the GIL quickly.
SWITCH_INTERVAL = 0.0001  # [s]
NICENESS = 10  # nice value of the process that opens the policy first
SUCCESS, FAILURE, ERROR = (TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE,
                           TransitionCallbackReturn.ERROR)
UNCONFIGURED = {'mode': 'unconfigured', 'reason': '', 'hold': '', 'stiff': 'false',
                'takes_commands': 'false'}
Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def transition(function: Transition) -> Transition:
    """Log exceptions of a transition, which rclpy would suppress; a refusal is one line."""
    @functools.wraps(function)
    def logged(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return function(node, state)
        except LocomotionError as error:
            node.get_logger().error(str(error))
            return FAILURE
        except Exception as error:  # the node must keep running to damp the robot
            node.get_logger().fatal(f'{function.__name__}: {describe(error)}')
            return ERROR
    return logged


class LocomotionNode(GuardedNode):
    """Lifecycle node that controls a walking robot.

    Configure opens the policy folder and refuses one that does not replay; activate checks the
    sensors, ramps to the default pose and starts the policy. Deactivate, shutdown, errors in a
    transition or callback, and the end of the process damp the robot.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('locomotion', **kwargs)
        declare(self, LocomotionParameters, fix_clock=False)
        self._interface: Optional[RosInterface] = None
        self._opening = threading.Lock()  # held while ~/swap opens a policy
        self._status = StatusPublisher(self)
        self.show('unconfigured', UNCONFIGURED)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        for name in ('stand', 'walk', 'damp', 'emergency_stop', 'reset'):
            self.create_service(Trigger, f'~/{name}', functools.partial(self._on_request, name))
        self.create_service(Trigger, '~/swap', self._on_swap)
        self._autostart_timer: Any = None
        if read(self, LocomotionParameters).autostart:
            # Wall time: the clock of a simulator may not run before the robot exists.
            self._autostart_timer = create_wall_timer(self, AUTOSTART_PERIOD, self._autostart)

    @property
    def interface(self) -> RosInterface:
        """The ROS interface of the running policy.

        Raises:
            RefusedError: The node is not configured.
        """
        if self._interface is None:
            raise RefusedError('request', 'the node is not configured and commands nothing')
        return self._interface

    def show(self, label: str, values: Dict[str, str]) -> None:
        """Publish the state of the robot, as text and as values; log a new text."""
        is_fault = label.startswith('fault')
        level = (DiagnosticStatus.ERROR if is_fault else
                 DiagnosticStatus.WARN if values['hold'] else DiagnosticStatus.OK)
        if not self._status.show(label, level, values):
            return
        if is_fault:
            self.get_logger().error(label)
        else:
            self.get_logger().info(label)

    @transition
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the policy and the topics."""
        parameters = read(self, LocomotionParameters)
        folder = _open(parameters)
        self._interface = RosInterface(self, parameters, folder, self.show)
        self.get_logger().info(
            f'policy {folder.path}, robot {folder.contract.robot}, engine {folder.policy.name}, '
            f'golden steps replayed within {folder.golden_error:.2g}')
        # Objects that exist now live until cleanup, so garbage collections may skip them.
        gc.collect()
        gc.freeze()
        return super().on_configure(state)

    @transition
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the robot and start the control loop."""
        self.interface.activate()
        return super().on_activate(state)

    @transition
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Damp the robot and stop the control loop."""
        self.interface.deactivate()
        return super().on_deactivate(state)

    @transition
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the topics and forget the policy."""
        self._close()
        return super().on_cleanup(state)

    @transition
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Damp the robot and close the topics."""
        self._close()
        return super().on_shutdown(state)

    @transition
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Damp the robot and start over."""
        self._close()
        return super().on_error(state)

    def on_exception(self, where: str, reason: str) -> None:
        """Damp the robot, and log the reason."""
        self.get_logger().fatal(f'{where}: {reason}', throttle_duration_sec=EXCEPTION_LOG_PERIOD)
        try:
            if self._interface is not None:
                self._interface.fault(f'{where}: {reason}')
        except Exception as error:  # only the driver's watchdog remains
            self.get_logger().fatal(f'the robot could not be damped: {describe(error)}',
                                    throttle_duration_sec=EXCEPTION_LOG_PERIOD)

    def stop(self) -> None:
        """Damp the robot, at the end of the process."""
        if self._interface is not None:
            self._interface.stop()

    def _close(self) -> None:
        interface, self._interface = self._interface, None
        if interface is not None:
            interface.close()
            del interface
            gc.unfreeze()  # otherwise present garbage would never be freed
            gc.collect()
        self.show('unconfigured', UNCONFIGURED)

    def _autostart(self) -> None:
        if self._interface is None:
            if self.trigger_configure() != SUCCESS:
                self._end_autostart()
            return
        missing = self._interface.missing()
        if missing:
            self.get_logger().info(f'waiting to activate: {missing}',
                                   throttle_duration_sec=WAITING_LOG_PERIOD)
            return
        self._end_autostart()
        self.trigger_activate()

    def _end_autostart(self) -> None:
        self.destroy_timer(self._autostart_timer)
        self._autostart_timer = None

    def _on_request(self, name: str, _: Trigger.Request,
                    response: Trigger.Response) -> Trigger.Response:
        try:
            getattr(self.interface, name)()
            response.success, response.message = True, self.interface.machine.label
        except LocomotionError as error:
            response.success, response.message = False, str(error)
        self.get_logger().info(f'~/{name}: {response.message}')
        return response

    async def _on_swap(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Open the policy ``policy`` in another thread, and switch to it while standing.

        An error while it opens is a refusal; an error during the switch leaves the control loop in
        an unknown state, and damps.
        """
        try:
            interface = self.interface
            opened: Any = await self._open_aside()
            if interface is not self._interface:
                raise RefusedError('swap', 'the node was cleaned up in the meantime')
            interface.swap(opened)
            response.success, response.message = True, str(opened.path)
        except LocomotionError as error:
            response.success, response.message = False, str(error)
        self.get_logger().info(f'~/swap: {response.message}')
        return response

    def _open_aside(self) -> Future:
        """Open a policy in a separate thread, one at a time.

        Raises:
            RefusedError: Another policy is being opened, or this one cannot be opened; raised
                here or by the future.
        """
        if not self._opening.acquire(blocking=False):
            raise RefusedError('swap', 'another policy is being opened')
        future: Future = Future(executor=self.executor)
        interval = sys.getswitchinterval()

        def end() -> None:
            sys.setswitchinterval(interval)
            self._opening.release()

        def work() -> None:
            try:
                found: Any = _open(parameters)
            except Exception as error:
                found = (error if isinstance(error, LocomotionError)
                         else RefusedError('swap', describe(error)))
            end()
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)

        try:
            parameters = read(self, LocomotionParameters)
            sys.setswitchinterval(SWITCH_INTERVAL)
            threading.Thread(target=work, name='open policy', daemon=True).start()
        except Exception as error:
            end()
            raise RefusedError('swap', describe(error)) from error
        return future

    def _on_set_parameters(self, parameters: List[Any]) -> SetParametersResult:
        # ~/swap reads the policy again.
        own = ['use_sim_time', *(field.name for field in dataclasses.fields(LocomotionParameters)
                                 if field.name != 'policy')]
        fixed = [parameter.name for parameter in parameters if parameter.name in own]
        if self._interface is not None and fixed:
            return SetParametersResult(
                successful=False, reason=f'{fixed[0]} is read at configure: clean up first')
        return SetParametersResult(successful=True)


def _open(parameters: LocomotionParameters) -> PolicyFolder:
    """Open a policy, in another process first; the golden steps also warm up the engine."""
    return open_vetted(parameters.policy, parameters.engine, parameters.device, NICENESS)


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is stopped."""
    return run(LocomotionNode, args)


if __name__ == '__main__':
    sys.exit(main())
