# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A Booster robot's messages: through rclpy and ``booster_interface``, or faked for its absence.

Both stand-ins publish a state, keep the commands and answer requests: one test serves both.
"""

from __future__ import annotations

import json
import sys
import threading
import types
from typing import Any, Dict, List

from fake_messages import message
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from humanoid_locomotion.nodes.hardware.booster import port
from humanoid_locomotion.nodes.ros import qos

MotorCmd = message(mode=int, q=float, dq=float, tau=float, kp=float, kd=float, weight=float)
MotorState = message(mode=int, q=float, dq=float, ddq=float, tau_est=float, temperature=int,
                     lost=int, reserve=lambda: [0, 0])
ImuState = message(rpy=lambda: [0.0] * 3, gyro=lambda: [0.0] * 3, acc=lambda: [0.0] * 3)
LowState = message(imu_state=ImuState, motor_state_parallel=list, motor_state_serial=list)
LowCmd = type('LowCmd', (message(cmd_type=int, motor_cmd=list),), {'CMD_TYPE_SERIAL': 1})
Request = message(msg=message(api_id=int, body=str))


def packages() -> Dict[str, Any]:
    """Return the modules of a fake ``booster_interface``."""
    msg: Any = types.ModuleType('booster_interface.msg')
    srv: Any = types.ModuleType('booster_interface.srv')
    for kind, name in ((MotorCmd, 'MotorCmd'), (LowCmd, 'LowCmd'), (LowState, 'LowState'),
                       (MotorState, 'MotorState')):
        setattr(msg, name, kind)
    srv.RpcService = types.SimpleNamespace(Request=Request)
    package: Any = types.ModuleType('booster_interface')
    package.msg, package.srv = msg, srv
    return {'booster_interface': package, 'booster_interface.msg': msg,
            'booster_interface.srv': srv}


class StandIn:
    """A robot with some motors.

    Attributes:
        mode: Its mode, a key of ``port.MODES``.
        answers: Whether it answers requests.
        commands: The commands that arrived.
        others: Names of the nodes that publish commands.
    """

    def __init__(self, motors: int):
        self.mode, self.answers, self.motors = 2, True, motors
        self.commands: List[Any] = []

    def state(self, msg: Any) -> Any:
        """Return a state: motor i is at i / 10."""
        found = msg.LowState(motor_state_serial=[
            msg.MotorState(q=0.1 * i, dq=0.01 * i, tau_est=float(i), temperature=30 + i)
            for i in range(self.motors)])
        found.imu_state.rpy, found.imu_state.gyro = [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]
        found.imu_state.acc = [0.0, 0.0, 9.81]
        return found

    def answer(self, request: Any) -> str:
        """Answer a request."""
        body = json.loads(request.msg.body) if request.msg.body else {}
        if request.msg.api_id == port.CHANGE_MODE:
            self.mode = body['mode']
        return json.dumps({'mode': self.mode} if request.msg.api_id == port.GET_MODE else {})


class FakeRobot(StandIn):
    """Takes the place of rclpy in the port."""

    def __init__(self, motors: int, monkeypatch: Any):
        super().__init__(motors)
        self.others: List[str] = []
        for name, module in packages().items():
            monkeypatch.setitem(sys.modules, name, module)
        self._msg = sys.modules['booster_interface.msg']
        context = types.SimpleNamespace(init=lambda domain_id: None, try_shutdown=lambda: None)
        monkeypatch.setattr(port, 'rclpy', types.SimpleNamespace(
            Context=lambda: context, create_node=lambda name, context: self))
        monkeypatch.setattr(port, 'SingleThreadedExecutor', lambda context: types.SimpleNamespace(
            add_node=lambda node: None, spin=lambda: None, shutdown=lambda: None))

    def create_client(self, kind: Any, name: str) -> Any:
        """As of rclpy's node; the others, too."""
        return types.SimpleNamespace(
            wait_for_service=lambda timeout: self.answers, call_async=self._call)

    def create_publisher(self, kind: Any, topic: str, quality: Any) -> Any:
        assert topic == '/joint_ctrl'
        return types.SimpleNamespace(publish=self.commands.append)

    def create_subscription(self, kind: Any, topic: str, callback: Any, quality: Any) -> None:
        assert topic == '/low_state'
        self._callback = callback
        self.publish()

    def get_publishers_info_by_topic(self, topic: str) -> Any:
        return [types.SimpleNamespace(node_name=it) for it in (port.NODE, *self.others)]

    def destroy_node(self) -> None:
        """Nothing is held."""

    def publish(self, change: Any = lambda state: None) -> None:
        """Publish a state, after a change."""
        state = self.state(self._msg)
        change(state)
        self._callback(state)

    def command_with(self, name: str) -> None:
        """Let another node publish commands."""
        self.others.append(name)

    def close(self) -> None:
        """Nothing is held."""

    def _call(self, request: Any) -> Any:
        future: Any = Future()
        future.set_result(types.SimpleNamespace(
            msg=types.SimpleNamespace(body=self.answer(request))))
        return types.SimpleNamespace(
            add_done_callback=lambda callback: callback(future), result=future.result)


class RealRobot(StandIn):
    """A node with the robot's topics and service."""

    def __init__(self, motors: int, domain: int):
        super().__init__(motors)
        from booster_interface import msg, srv
        self._msg = msg
        self._context = rclpy.Context()
        self._context.init(domain_id=domain)
        self._node = rclpy.create_node('robot', context=self._context)
        self._states = self._node.create_publisher(msg.LowState, '/low_state', qos.SENSOR_OUTPUT)
        self._node.create_subscription(
            msg.LowCmd, '/joint_ctrl', self.commands.append, qos.COMMAND)
        self._node.create_service(srv.RpcService, 'booster_rpc_service', self._on_request)
        self._is_changed = False
        self._node.create_timer(0.01, lambda: self._is_changed or self.publish())
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        threading.Thread(target=self._executor.spin, daemon=True).start()

    def publish(self, change: Any = None) -> None:
        """Publish a state, after a change; a changed state is the last one."""
        self._is_changed = change is not None
        state = self.state(self._msg)
        if change is not None:
            change(state)
        self._states.publish(state)

    def command_with(self, name: str) -> None:
        """Let another node publish commands."""
        self._other = rclpy.create_node(name, context=self._context)
        self._other.create_publisher(self._msg.LowCmd, '/joint_ctrl', qos.COMMAND)

    def close(self) -> None:
        """Free the node."""
        self._executor.shutdown()
        self._context.try_shutdown()

    def _on_request(self, request: Any, response: Any) -> Any:
        response.msg.body = self.answer(request)
        return response
