"""The locomotion node: velocity commands in, joint targets out, damping in every doubt."""

from __future__ import annotations

import dataclasses
import functools
import gc
import sys
import threading
from typing import Any, Callable, List, Optional

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError, RefusedError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.policy.vetting import open_vetted
from humanoid_locomotion.nodes.locomotion.ros_interface import Pilot
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.executor import create_wall_timer, run
from humanoid_locomotion.nodes.ros.guarded import GuardedNode, describe
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters, declare, read

AUTOSTART_PERIOD = 0.1  # [s]
WAITING_LOG_PERIOD = 5.0  # [s]
EXCEPTION_LOG_PERIOD = 1.0  # [s]
# While a policy opens beside the control loop, the loop must get the interpreter at once.
SWITCH_INTERVAL = 0.0001  # [s]
NICENESS = 10  # ... and the process that opens it first must give way
SUCCESS, FAILURE, ERROR = (TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE,
                           TransitionCallbackReturn.ERROR)
Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def transition(function: Transition) -> Transition:
    """Log what a transition raises, which rclpy would swallow; a refusal is one line."""
    @functools.wraps(function)
    def logged(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return function(node, state)
        except LocomotionError as error:
            node.get_logger().error(str(error))
            return FAILURE
        except Exception as error:  # the node must survive to damp the robot
            node.get_logger().fatal(f'{function.__name__}: {describe(error)}')
            return ERROR
    return logged


class LocomotionNode(GuardedNode):
    """Walks a robot.

    Configure opens the policy folder and refuses one that does not replay; activate checks the
    sensors, ramps to the default pose and hands over to the policy. Deactivate, shutdown, errors
    in a transition or in any callback, and the end of the process damp the robot.
    """

    def __init__(self, **kwargs: Any):
        super().__init__('locomotion', **kwargs)
        declare(self, LocomotionParameters)
        self._pilot: Optional[Pilot] = None
        self._opening = threading.Lock()  # held while ~/swap opens a policy
        self._state = self.create_publisher(String, '~/state', qos.LATCHED)
        self.show('unconfigured')
        self.add_on_set_parameters_callback(self._on_set_parameters)
        for name, action in (('stand', Pilot.stand), ('walk', Pilot.walk), ('damp', Pilot.damp),
                             ('emergency_stop', Pilot.emergency_stop), ('reset', Pilot.reset)):
            self.create_service(
                Trigger, f'~/{name}', functools.partial(self._on_request, name, action))
        self.create_service(Trigger, '~/swap', self._on_swap)
        self._autostart_timer: Any = None
        if read(self, LocomotionParameters).autostart:
            # By the wall: a simulator's clock may not run before the robot is there.
            self._autostart_timer = create_wall_timer(self, AUTOSTART_PERIOD, self._autostart)

    @property
    def pilot(self) -> Pilot:
        """What runs the policy.

        Raises:
            RefusedError: The node is not configured.
        """
        if self._pilot is None:
            raise RefusedError('request', 'the node is not configured and commands nothing')
        return self._pilot

    def show(self, label: str) -> None:
        """Publish and log what the robot is doing."""
        self._state.publish(String(data=label))
        if label.startswith('fault'):
            self.get_logger().error(label)
        else:
            self.get_logger().info(label)

    @transition
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the policy and the topics."""
        parameters = read(self, LocomotionParameters)
        folder = _open(parameters)
        self._pilot = Pilot(self, parameters, folder, self.show)
        self.get_logger().info(
            f'policy {folder.path}, robot {folder.contract.robot}, engine {folder.policy.name}, '
            f'golden steps replayed within {folder.golden_error:.2g}')
        # What exists now stays until cleanup: a later collection need not look at it again.
        gc.collect()
        gc.freeze()
        return super().on_configure(state)

    @transition
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the robot and start the control loop."""
        self.pilot.activate()
        return super().on_activate(state)

    @transition
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Damp the robot and stop the control loop."""
        self.pilot.deactivate()
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
        """Damp the robot, and say why."""
        self.get_logger().fatal(f'{where}: {reason}', throttle_duration_sec=EXCEPTION_LOG_PERIOD)
        try:
            if self._pilot is not None:
                self._pilot.fault(f'{where}: {reason}')
        except Exception as error:  # the driver's watchdog is left
            self.get_logger().fatal(f'the robot could not be damped: {describe(error)}',
                                    throttle_duration_sec=EXCEPTION_LOG_PERIOD)

    def stop(self) -> None:
        """Damp the robot, at the end of the process."""
        if self._pilot is not None:
            self._pilot.stop()

    def _close(self) -> None:
        pilot, self._pilot = self._pilot, None
        if pilot is not None:
            pilot.close()
            del pilot
            gc.unfreeze()  # else what is garbage now would stay for good
            gc.collect()
        self.show('unconfigured')

    def _autostart(self) -> None:
        if self._pilot is None:
            if self.trigger_configure() != SUCCESS:
                self._end_autostart()
            return
        missing = self._pilot.missing()
        if missing:
            self.get_logger().info(f'waiting to activate: {missing}',
                                   throttle_duration_sec=WAITING_LOG_PERIOD)
            return
        self._end_autostart()
        self.trigger_activate()

    def _end_autostart(self) -> None:
        self.destroy_timer(self._autostart_timer)
        self._autostart_timer = None

    def _on_request(self, name: str, action: Callable[[Pilot], None], _: Trigger.Request,
                    response: Trigger.Response) -> Trigger.Response:
        try:
            action(self.pilot)
            response.success, response.message = True, self.pilot.machine.label
        except LocomotionError as error:
            response.success, response.message = False, str(error)
        self.get_logger().info(f'~/{name}: {response.message}')
        return response

    async def _on_swap(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Open what ``policy`` names beside the control loop, and hand over while standing.

        Whatever goes wrong while it opens is a refusal; what goes wrong while it takes over leaves
        the control in doubt, and damps.
        """
        try:
            pilot = self.pilot
            opened: Any = await self._open_aside()
            if pilot is not self._pilot:
                raise RefusedError('swap', 'the node was cleaned up meanwhile')
            pilot.swap(opened)
            response.success, response.message = True, str(opened.path)
        except LocomotionError as error:
            response.success, response.message = False, str(error)
        self.get_logger().info(f'~/swap: {response.message}')
        return response

    def _open_aside(self) -> Future:
        """Open a policy in a thread of its own, one at a time.

        Raises:
            RefusedError: Another one is being opened, or something else keeps it from opening;
                from here or from the future.
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
        own = [field.name for field in dataclasses.fields(LocomotionParameters)
               if field.name != 'policy']
        fixed = [parameter.name for parameter in parameters if parameter.name in own]
        if self._pilot is not None and fixed:
            return SetParametersResult(
                successful=False, reason=f'{fixed[0]} is read by configure: clean up first')
        return SetParametersResult(successful=True)


def _open(parameters: LocomotionParameters) -> PolicyFolder:
    """Open a policy, in another process first; replaying its golden steps warms the engine up."""
    return open_vetted(parameters.policy, parameters.engine, parameters.device, NICENESS)


def main(args: Optional[List[str]] = None) -> int:
    """Run the node until it is told to stop."""
    return run(LocomotionNode, args)


if __name__ == '__main__':
    sys.exit(main())
