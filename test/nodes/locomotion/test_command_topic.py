# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A command axis beyond the velocity, over DDS and in a recording."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mcap')

import numpy as np
import policy_factory
from std_msgs.msg import Float64

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.nodes.locomotion.replay import replay
from humanoid_locomotion.nodes.ros import qos

pytestmark = pytest.mark.ros


@pytest.fixture
def folder(tmp_path):
    """Give a policy folder that takes a height and always asks for the default pose."""
    plain = policy_factory.make_contract()
    contract = replace(plain, command_limits=CommandSpec.of(
        **plain.command_limits.to_config(), base_height=(0.6, 0.9, 0.85)))
    size = Controller(contract).builder.size
    return policy_factory.write_policy(
        tmp_path / 'policy', contract, np.zeros((contract.num_actions, size), np.float32))


def test_a_height_arrives_on_its_topic_while_the_robot_stands_and_replays(
        folder, bench, tmp_path):
    one = bench(policy=str(folder), record=True, record_folder=str(tmp_path / 'recordings'))
    publisher = one.driver.create_publisher(Float64, 'command/base_height', qos.VELOCITY_COMMAND)
    one.stand()
    one.until(lambda: publisher.get_subscription_count() > 0)
    command = one.node.interface.loop.command.command
    assert command[0, 3] == np.float32(0.85)
    publisher.publish(Float64(data=0.83))
    one.until(lambda: command[0, 3] == np.float32(0.83))
    assert one.driver.state == 'standing'
    publisher.publish(Float64(data=float('inf')))
    one.spin(0.1)
    assert command[0, 3] == np.float32(0.83)
    one.node.trigger_deactivate()
    one.node.trigger_cleanup()
    (path,) = (tmp_path / 'recordings').iterdir()
    result = replay(path)
    assert result.difference == '' and result.steps > 10
