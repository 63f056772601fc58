# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The locomotion node's parameters: wrong ones are refused by name, and late ones."""

import pytest

pytest.importorskip('rclpy')

from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from humanoid_locomotion.core.errors import ConfigError

pytestmark = pytest.mark.ros
FAILURE = TransitionCallbackReturn.FAILURE


@pytest.mark.parametrize('name, value, sentence', [
    ('cmd_vel_time_out', 0.5, 'cmd_vel_time_out: unknown parameter'),
    ('cmd_vel_timeout', 'soon', "cmd_vel_timeout: expected float, found 'soon'"),
    ('min_height', -1.0, r'min_height: expected a value within \[0.0, 3.0\], found -1.0'),
    ('max_tilt', 4.0, r'max_tilt: expected a value within \[0.05, 1.5\], found 4.0'),
])
def test_parameters_are_refused_by_name(bench, name, value, sentence):
    """At the start, not when they are first used."""
    with pytest.raises(ConfigError, match=sentence):
        bench(**{name: value})


def test_text_that_is_no_choice_fails_configure(bench):
    """With the name and what is allowed."""
    one = bench()
    one.node.set_parameters([Parameter('engine', value='tensorrt')])
    assert one.node.trigger_configure() == FAILURE
    with pytest.raises(ConfigError, match='engine: expected one of auto, onnxruntime, torch'):
        bench(engine='tensorrt')


def test_parameters_are_fixed_once_configured(bench):
    """Configure reads them; a later change would do nothing, so it is refused."""
    one = bench()
    change = [Parameter('max_tilt', value=0.5)]
    assert one.node.set_parameters(change)[0].successful
    one.node.trigger_configure()
    result = one.node.set_parameters(change)[0]
    assert not result.successful and 'max_tilt is read at configure' in result.reason
