# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The policies that the node tests walk with, and benches to try them on."""

import policy_factory
import pytest


@pytest.fixture(scope='session')
def holding(tmp_path_factory):
    """Give a policy folder that always asks for the default pose."""
    return policy_factory.holding_policy(tmp_path_factory.mktemp('holding'))


@pytest.fixture(scope='session')
def balancing(tmp_path_factory):
    """Give a policy folder that stands and ignores its command."""
    return policy_factory.balancing_policy(tmp_path_factory.mktemp('balancing'))


@pytest.fixture
def opener(monkeypatch):
    """Let nodes open policies in this process: another takes a second for each bench.

    test_swap.py, which is about that other process, does without.
    """
    from humanoid_locomotion.core.policy.folder import open_policy
    from humanoid_locomotion.nodes.locomotion import node
    monkeypatch.setattr(node, 'open_vetted',
                        lambda name, engine, device, _: open_policy(name, engine, device))


@pytest.fixture
def bench(ros, holding, opener, monkeypatch):
    """Make benches with a policy that opens, and free them; diagnostics come often."""
    from harness import Bench

    from humanoid_locomotion.nodes.locomotion import ros_interface
    monkeypatch.setattr(ros_interface, 'DIAGNOSTICS_PERIOD', 0.1)
    made = []

    def make(**parameters):
        made.append(Bench(**{'policy': str(holding), 'engine': 'onnxruntime', **parameters}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def neighbour(ros):
    """Give a node of another DDS participant, which may use other types on the same topics."""
    import rclpy
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('neighbour', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)
