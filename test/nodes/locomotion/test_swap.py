# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What ~/swap is given never takes the robot away from its operator."""

from __future__ import annotations

import json
import os
import shutil
import threading
from unittest import mock

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('onnxruntime')

from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.policy.content import write_sums
from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.core.policy.vetting import open_vetted
from humanoid_locomotion.nodes.locomotion import node
from humanoid_locomotion.nodes.ros import qos

pytestmark = pytest.mark.ros
BOMB = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'{c}: &{c} [{", ".join(9 * ["*" + chr(ord(c) - 1)])}]\n' for c in 'bcdefghij')


@pytest.fixture
def opener():
    """Let nodes open policies as they do: in another process first."""


def swap(one, policy):
    """Ask a standing node for a policy."""
    one.node.set_parameters([Parameter('policy', value=str(policy))])
    return one.call('swap')


def test_whatever_opening_raises_is_a_refusal(bench, holding, monkeypatch):
    one = bench()
    one.stand()
    for error in (RuntimeError('gone'), KeyError('x'), RecursionError(), MemoryError(),
                  OverflowError('1e999'), UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'bad'),
                  ValueError('\udcff'), OSError(5, 'I/O')):
        with monkeypatch.context() as patch:
            patch.setattr(node, 'open_vetted', mock.Mock(side_effect=error))
            refused = swap(one, holding)
        assert not refused.success and type(error).__name__ in refused.message
        assert one.driver.state == 'standing'
    assert swap(one, holding).success  # the next one is not kept out


def test_a_thread_that_does_not_start_is_a_refusal(bench, holding, monkeypatch):
    one = bench()
    one.stand()
    with monkeypatch.context() as patch:
        patch.setattr(node.threading, 'Thread', lambda **_: 1 / 0)
        refused = swap(one, holding)
    assert not refused.success and 'ZeroDivisionError' in refused.message
    assert swap(one, holding).success


def test_one_policy_is_opened_at_a_time(bench, holding, monkeypatch):
    one, opens = bench(), threading.Event()
    one.stand()

    def wait(*arguments):
        assert opens.wait(10.0)
        return open_vetted(*arguments)

    monkeypatch.setattr(node, 'open_vetted', wait)
    one.node.set_parameters([Parameter('policy', value=str(holding))])
    client = one.driver.create_client(Trigger, 'locomotion/swap')
    one.until(client.service_is_ready)
    first = client.call_async(Trigger.Request())
    one.spin(0.3)
    second = one.call('swap')
    assert not second.success and 'another policy is being opened' in second.message
    opens.set()
    one.until(first.done)
    assert first.result().success


def sparse(path):
    """Claim ten gigabytes."""
    with path.open('wb') as file:
        file.truncate(10 << 30)


def huge(path):
    """Tell of a command of 10^400 m/s."""
    card = json.loads(path.read_text())
    card['figures']['responses'][0]['command'] = [10 ** 400, 0, 0]
    path.write_text(json.dumps(card))


def replaced(make):
    """Put something else in place of the file."""
    def do(path):
        path.unlink()
        make(path)
    return do


def test_a_scorecard_of_any_kind_takes_nothing_away(bench, tmp_path):
    """The policy is taken; its envelope is said not to be known."""
    shipped = find_policy('humanoid')
    one, envelopes = bench(policy=str(shipped)), []
    one.driver.create_subscription(String, 'locomotion/envelope', envelopes.append, qos.LATCHED)
    one.stand()
    for i, change in enumerate((
            huge, lambda path: path.write_text('[' * 100_000), replaced(os.mkfifo),
            replaced(sparse), replaced(lambda path: path.symlink_to('/dev/zero')))):
        folder = shutil.copytree(shipped, tmp_path / str(i))
        change(folder / 'scorecard.json')
        if i < 2:
            write_sums(folder)
        envelopes.clear()
        assert swap(one, folder).success
        one.until(lambda: envelopes)
        assert json.loads(envelopes[-1].data)['problem'].startswith('scorecard.json')
        assert one.driver.state == 'standing'
    assert one.call('emergency_stop').success


def test_a_contract_of_any_kind_is_refused_beside_the_control_loop(bench, holding, tmp_path):
    one, folder = bench(), shutil.copytree(holding, tmp_path / 'policy')
    one.stand()
    for text, problem in (
            (BOMB, 'anchor or alias'), ('robot: 2001-99-99\n', 'contract.yaml'),
            ('a: ' + '1' * 5000, 'a number of 5000 characters'), ('[' * 3000, 'deeper than 32'),
            ('a: !!float "abc"', 'has the tag')):
        (folder / 'contract.yaml').write_text(text)
        write_sums(folder)
        count = len(one.driver.commands)
        refused = swap(one, folder)
        assert not refused.success and problem in refused.message
        assert len(one.driver.commands) > count and one.driver.state == 'standing'
        assert one.node.interface.loop.folder.path == holding
