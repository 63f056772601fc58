# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy allows the node exactly the topics and services that it has."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy')

pytestmark = pytest.mark.ros
POLICY = Path(__file__).parents[2] / 'config' / 'security' / 'locomotion.policy.xml'


def allowed(kind, direction):
    """Give the names that the policy allows the locomotion node, in full."""
    (profile,) = (p for p in ElementTree.parse(POLICY).iter('profile')
                  if p.get('node') == 'locomotion')
    names = [item.text for group in profile.findall(f'{kind}s') if group.get(direction) == 'ALLOW'
             for item in group]
    return {name.replace('~', '/locomotion') if name[0] == '~' else f'/{name}'.replace('//', '/')
            for name in names}


def test_policy_is_what_the_node_does(bench):
    one = bench(min_height=0.5, use_sim_time=True)
    one.node.trigger_configure()
    name, space = 'locomotion', '/'

    def published():
        return {n for n, _ in one.node.get_publisher_names_and_types_by_node(name, space)}

    def served():
        return {n for n, _ in one.node.get_service_names_and_types_by_node(name, space)}

    # A node discovers its own topics and services one after the other, like those of others. Nodes
    # of one name in a process share the publisher of /rosout, and the first that ends removes it.
    def unused():
        return allowed('topic', 'publish') - published()

    one.until(lambda: unused() <= {'/rosout'} and served() == allowed('service', 'reply'),
              must=False)
    assert published() <= allowed('topic', 'publish') and unused() <= {'/rosout'}
    assert served() == allowed('service', 'reply')
    subscribed = {n for n, _ in one.node.get_subscriber_names_and_types_by_node(name, space)}
    assert subscribed <= allowed('topic', 'subscribe')
    assert allowed('topic', 'subscribe') - subscribed <= {'/parameter_events', '/clock'}
