# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The standalone policy gives the controller's joint targets, from sensors alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import LEGS, command, state
from samples import contract as sample

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import ObservationSpec, TermSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.policy.engines import OnnxRuntimeEngine, open_session
from humanoid_locomotion.core.policy.onnx_graph import read_network
from humanoid_locomotion.core.policy.standalone import fields
from humanoid_locomotion.core.policy.standalone.graph import standalone_bytes
from humanoid_locomotion.core.policy.standalone.replay import Replay
from humanoid_locomotion.core.state import RobotState

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')


def contract(*args, **kwargs):
    """Give a sample contract whose limits an action of two reaches."""
    it = sample(*args, **kwargs)
    return replace(it, joints=tuple(replace(joint, action_scale=1.0) for joint in it.joints))


CLOCK = contract(layout='proprioceptive_clock')
FEEDBACK = {'yaw_rate_integral': IntegralSpec(1.0, 0.2), 'legs': LEGS,
            'linear_velocity_loop': LinearLoopSpec(0.5, 0.2, 0.5, 4.0)}
CONTRACTS = {
    'plain': contract(), 'clock': CLOCK, 'history': contract(history=3),
    'some joints': contract(observed=2), 'joint range': replace(CLOCK, action_mode='joint_range'),
    'feedback': replace(CLOCK, **FEEDBACK),
    'turning feedback': replace(CLOCK, yaw_rate_integral=IntegralSpec(1.0, 0.2)),
    'all': replace(contract(layout='proprioceptive_clock', history=2, observed=3), **FEEDBACK),
    'held joints': replace(CLOCK, commanded=('j3', 'j0'), action_mode='joint_range'),
    'terms of a held joint': replace(
        CLOCK, commanded=('j1', 'j2', 'j3'), gait=GaitSpec(0.8, 0.0, 'stride_start'),
        observation=replace(CLOCK.observation, terms=tuple(map(TermSpec, (
            'phase_sine', 'phase_cosine', 'walk_command', 'waist_command', 'previous_action',
            'joint_positions'))))),
    'scaled': replace(CLOCK, observation=replace(CLOCK.observation, terms=(
        TermSpec('joint_positions', 0.5), TermSpec('joint_velocities', 0.1, 0.5),
        TermSpec('gait_clock')))),
    'of other stacks': replace(
        CLOCK, gait=GaitSpec(0.8, 0.1, 'half_stride'), beyond_robot=('targets',),
        observation=ObservationSpec('other', (
            TermSpec('yaw_rate_command'), TermSpec('linear_velocity_command', (2.0, 0.5)),
            TermSpec('leg_phase_sines'), TermSpec('leg_phase_cosines'),
            TermSpec('joint_positions')), 3, history_order='term')),
    'running clock': replace(CLOCK, gait=GaitSpec(0.8, 0.1, 'running'))}


def network(it, opset=17):
    """Return a network of one random layer, whose actions reach the limits of the targets."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    size = Controller(it).builder.size
    weight = np.random.default_rng(0).normal(0, 0.1, (size, it.num_actions)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node('MatMul', ['obs', 'value_0'], ['x']),
         helper.make_node('Tanh', ['x'], ['y']),
         helper.make_node('Mul', ['y', 'reach'], ['actions'])], 'g',
        [helper.make_tensor_value_info('obs', kind, ['batch', size])],
        [helper.make_tensor_value_info('actions', kind, ['batch', it.num_actions])],
        [onnx.numpy_helper.from_array(weight, 'value_0'),
         onnx.numpy_helper.from_array(np.float32(3.0), 'reach')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8)
    return read_network(model.SerializeToString(), 'network.onnx')


def standalone(it):
    return read_network(standalone_bytes(it, network(it)), 'policy.onnx', True)


def steps(it, count=40, seed=0):
    """Return golden steps in which the robot walks, stands and walks again."""
    rng = np.random.default_rng(seed)
    states = state(rng, count, len(it.joints))
    upright = states.base_orientation * 0.2 + np.array([0, 0, 0, 1.0])
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    asked = command(rng, count)
    asked[count // 3:count // 2] = 0.0
    return {**vars(states), 'base_orientation': upright.astype(np.float32), 'command': asked}


def each(golden):
    """Give the state and the command of each step."""
    for i in range(len(golden['command'])):
        step = {key: array[i:i + 1] for key, array in golden.items()}
        asked = step.pop('command')
        yield RobotState(**step), asked


def difference(it, other, golden):
    """Return that between the standalone policy of a contract and the controller of another."""
    replay = Replay(standalone(it), other)
    controller = Controller(other, OnnxRuntimeEngine(network(other)))
    controller.reset_all()
    for now, asked in each(golden):
        replay.compare(now, asked, controller.step(now, asked).positions)
    return replay.difference


@pytest.mark.parametrize('name', CONTRACTS)
def test_it_gives_the_controllers_targets(name):
    it = CONTRACTS[name]
    assert difference(it, it, steps(it)) < 5e-6


def test_it_takes_further_commands():
    limits = CommandSpec.of(lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-1.0, 1.0),
                            base_height=(0.5, 0.9, 0.8))
    it, golden = replace(CONTRACTS['feedback'], command_limits=limits), steps(CLOCK)
    height = np.full((len(golden['command']), 1), 0.7, np.float32)
    golden['command'] = np.concatenate((golden['command'], height), 1)
    assert difference(it, it, golden) < 5e-6
    assert fields.metadata(it, '')['command_names'].endswith('ang_vel_z,base_height')


def walk(session, it, golden, memory):
    """Return the actions and the memory after some steps."""
    actions = np.zeros((1, it.num_actions), np.float32)
    for now, asked in each(golden):
        obs = fields.join(it, now, asked, actions)
        actions, memory = session.run(None, {'obs': obs, 'h_in': memory})
    return actions, memory


def test_a_memory_of_zeros_is_a_reset():
    it = CONTRACTS['all']
    session = open_session(standalone(it))
    zero = np.zeros(session.get_inputs()[1].shape, np.float32)
    first, memory = walk(session, it, steps(it), zero)
    assert np.abs(memory).max() > 0.0
    again, _ = walk(session, it, steps(it), zero)
    other, _ = walk(session, it, steps(it), memory)
    np.testing.assert_array_equal(again, first)
    assert np.abs(other - first).max() > 1e-3


def test_its_actions_are_those_of_targets_within_the_limits():
    it = CONTRACTS['feedback']
    session = open_session(standalone(it))
    actions, _ = walk(session, it, steps(it), np.zeros(session.get_inputs()[1].shape, np.float32))
    targets = it.values('default') + it.values('action_scale') * actions
    assert (targets <= it.values('upper') + 1e-6).all()
    assert (targets >= it.values('lower') - 1e-6).all()
    assert np.isclose(targets, [it.values('lower'), it.values('upper')]).any()


@pytest.mark.parametrize('gravity', [(0, 0, 1), (0, 0, 0), (0, 0, -1), (1, 0, 0)])
def test_its_actions_are_numbers_for_any_orientation(gravity):
    it = CONTRACTS['feedback']
    session = open_session(standalone(it))
    obs = np.zeros(session.get_inputs()[0].shape, np.float32)
    obs[0, 3:6] = gravity
    for result in session.run(None, {
            'obs': obs, 'h_in': np.zeros(session.get_inputs()[1].shape, np.float32)}):
        assert np.isfinite(result).all()


@pytest.mark.parametrize('it, opset', [
    (contract(layout='full_state'), 17), (CLOCK, 12), (replace(CLOCK, joints=tuple(
        replace(joint, action_scale=0.0) for joint in CLOCK.joints)), 17)])
def test_there_is_none_if_the_fields_do_not_give_what_it_needs(it, opset):
    assert standalone_bytes(it, network(it, opset)) is None


def test_one_of_another_contract_is_refused():
    it = CONTRACTS['feedback']
    other = replace(it, gait=replace(it.gait, period=0.7))
    with pytest.raises(PolicyError, match=r'its joint targets differ by .* rad from those of '
                       'network and contract, at most 1e-05 is allowed; `humanoid-locomotion '
                       'policy rebuild`'):
        difference(other, it, steps(it))


def test_one_of_another_robot_is_refused():
    it, other = contract(), contract(5)
    with pytest.raises(PolicyError, match='takes 24 observations and returns 5 actions; the '
                       'contract describes 21 and 4'):
        difference(other, it, steps(it))


@pytest.mark.parametrize('end, shape', [
    ('input', (1, 1, 0)), ('input', (1, 2)), ('output', (1, 1, 2)), ('output', (2, 1, 3))])
def test_a_memory_of_another_shape_is_refused(end, shape):
    model = onnx.load_from_string(standalone(CLOCK).content)
    value = getattr(model.graph, end)[1]
    value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, 1, shape))
    with pytest.raises(PolicyError, match=r"expected 'h_in' and 'h_out' of the same shape"):
        read_network(model.SerializeToString(), 'policy.onnx', True)


def test_a_network_in_its_place_is_refused():
    with pytest.raises(PolicyError, match=r"expected the inputs \['obs', 'h_in'\]"):
        read_network(network(CLOCK).content, 'policy.onnx', True)
