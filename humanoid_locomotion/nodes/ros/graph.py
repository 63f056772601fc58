# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Other nodes at the topics of a node: who publishes, and who cannot be understood."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from humanoid_locomotion.nodes.ros.executor import create_wall_timer

CHECK_PERIOD = 1.0  # [s]
TWISTS = {'geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped'}


class TopicCheck:
    """Finds topics on which messages do not arrive, and says each problem once.

    A problem is said at the second check: a node that was just found has no name yet.

    Args:
        node: The node whose topics are compared with those of other nodes.
        subscriptions: Its subscriptions; None for all.
        publishers: Its publishers; None for all.
        say: Called with each new problem; None to log it as an error.
    """

    def __init__(self, node: Node, subscriptions: Optional[Sequence[Any]] = None,
                 publishers: Optional[Sequence[Any]] = None,
                 say: Optional[Callable[[str], None]] = None):
        self._node, self._subscriptions, self._publishers = node, subscriptions, publishers
        self._say = say or node.get_logger().error
        self._last: Dict[str, str] = {}
        self._said: Dict[str, str] = {}

    def problems(self) -> Dict[str, str]:
        """Return why messages do not arrive, by topic; empty if all do."""
        node, ours, theirs = self._node, self._subscriptions, self._publishers
        found = mismatches(node, list(node.subscriptions) if ours is None else ours,
                           list(node.publishers) if theirs is None else theirs)
        self._said = {topic: self._said[topic] for topic in found if topic in self._said}
        for topic, text in found.items():
            if self._last.get(topic) == text != self._said.get(topic):
                self._said[topic] = text
                self._say(f'{topic}: {text}')
        self._last = found
        return found


def watch_topics(node: Node, say: Optional[Callable[[str], None]] = None) -> None:
    """Check all topics of a node once a second, as :class:`TopicCheck` does."""
    check = TopicCheck(node, say=say)
    create_wall_timer(node, CHECK_PERIOD, check.problems)


def mismatches(node: Node, subscriptions: Sequence[Any],
               publishers: Sequence[Any]) -> Dict[str, str]:
    """Return why messages do not arrive, by topic; empty if all do.

    Args:
        node: This node.
        subscriptions: Its subscriptions, compared with the publishers of their topics.
        publishers: Its publishers, compared with the subscriptions to their topics.
    """
    found = {}
    for ours in (*subscriptions, *publishers):
        publishes = ours in publishers
        others = (node.get_subscriptions_info_by_topic if publishes
                  else node.get_publishers_info_by_topic)(ours.topic_name)
        for other in others:
            profiles = ours.qos_profile, other.qos_profile
            problem = (_other_type(type_name(ours.msg_type), other.topic_type)
                       or _other_quality(*(profiles if publishes else profiles[::-1])))
            if problem:
                found[ours.topic_name] = (
                    f'{_node_name(other)} {"subscribes" if publishes else "publishes"} {problem}')
    return found


def publishing_nodes(node: Node, topics: Iterable[str]) -> List[str]:
    """Return the full names of the nodes that publish any of these topics, in order."""
    return sorted({_node_name(other) for topic in topics
                   for other in node.get_publishers_info_by_topic(node.resolve_topic_name(topic))})


def _node_name(endpoint: Any) -> str:
    return f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'


def type_name(kind: type) -> str:
    """Return the ROS name of a message class: ``geometry_msgs/msg/Twist``."""
    return f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'


def _other_type(expected: str, found: str) -> str:
    if found == expected:
        return ''
    stamped = str(found.endswith('Stamped')).lower()
    advice = (f'; set enable_stamped_cmd_vel to {stamped} in this node (--stamped of teleop), or '
              'change the other'
              if {found, expected} == TWISTS else '')
    return f'{found}, expected {expected}{advice}'


def _other_quality(publisher: QoSProfile, subscription: QoSProfile) -> str:
    # rclpy's qos_check_compatible takes an unset deadline for one that differs.
    if (publisher.reliability == ReliabilityPolicy.BEST_EFFORT
            and subscription.reliability == ReliabilityPolicy.RELIABLE):
        return 'with a QoS that does not match: a reliable subscription needs a reliable publisher'
    if (publisher.durability == DurabilityPolicy.VOLATILE
            and subscription.durability == DurabilityPolicy.TRANSIENT_LOCAL):
        return ('with a QoS that does not match: a transient local subscription needs a transient '
                'local publisher')
    return ''
