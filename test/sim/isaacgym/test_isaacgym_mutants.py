# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Each mistake that an Isaac Gym adapter can make, made on purpose: the laws must catch it.

A mutant is one edit of the backend's source. It is judged like the backend itself, against MuJoCo
on the fake, and has to fail, by another motion or by something that the real one forbids.
"""

from __future__ import annotations

from pathlib import Path
import types
from typing import NamedTuple

import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('torch')

import fake_gym

fake_gym.install()

from gym_laws import judge_class

from humanoid_locomotion.sim.isaacgym import backend, scene
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend

TABLE = Path(__file__).parents[3] / 'docs' / 'logs' / 'isaacgym_mutants.md'
BACKEND, SCENE = 'backend', 'scene'
SOURCES = {module.__name__.split('.')[-1]: Path(module.__file__).read_text(encoding='utf-8')
           for module in (backend, scene)}


class Mutant(NamedTuple):
    """One edit; ``old`` stands exactly once in the file."""

    name: str
    file: str
    old: str
    new: str


def b(name: str, old: str, new: str) -> Mutant:
    """Give an edit of the backend."""
    return Mutant(name, BACKEND, old, new)


def s(name: str, old: str, new: str) -> Mutant:
    """Give an edit of the scene's scene."""
    return Mutant(name, SCENE, old, new)


MUTANTS = [
    # Buffers: refresh, lifetime, type, size.
    b('base never refreshed', '        gym.refresh_actor_root_state_tensor(sim)\n', ''),
    b('joints never refreshed', '            gym.refresh_dof_state_tensor(sim)\n', ''),
    b('links never refreshed', '            gym.refresh_rigid_body_state_tensor(sim)\n', ''),
    b('contacts never refreshed', '            gym.refresh_net_contact_force_tensor(sim)\n', ''),
    b('joints refreshed once a step, not once a substep',
      '            gym.refresh_dof_state_tensor(sim)\n',
      '            _ or gym.refresh_dof_state_tensor(sim)\n'),
    b('links refreshed once a step, not once a substep',
      '            gym.refresh_rigid_body_state_tensor(sim)\n',
      '            _ or gym.refresh_rigid_body_state_tensor(sim)\n'),
    b('contacts refreshed once a step, not once a substep',
      '            gym.refresh_net_contact_force_tensor(sim)\n',
      '            _ or gym.refresh_net_contact_force_tensor(sim)\n'),
    b('results not fetched on the CPU', '                gym.fetch_results(sim, True)\n',
      '                pass\n'),
    b('actor indices of 64 bits', 'for env in envs], torch.int32)', 'for env in envs])'),
    b('indices freed too early', 'self._handed_over += [buffer, actors]', 'pass'),
    b('only some rows handed over', 'self._dof.view(-1, 2), self._moved_joints',
      'self._dof.view(-1, 2)[:2], self._moved_joints'),
    b('torques of 64 bits', 'torch.zeros(dof.shape[0], device=self.device)',
      'torch.zeros(dof.shape[0], device=self.device, dtype=torch.float64)'),
    b('a copy that is not contiguous', 'gymtorch.unwrap_tensor(self._torque)',
      'gymtorch.unwrap_tensor(self._torque.repeat(2)[::2])'),
    b('a buffer bound anew instead of written', 'self._root.copy_(torch.where(',
      'self._root = torch.clone(torch.where('),
    b('tensors before the simulation is prepared', 'if not gym.prepare_sim(sim):', 'if not sim:'),
    # Setters: once, merged, for the right robots.
    b('a setter for every reset',
      '        for value in self._measured.values():\n            value',
      '        self._hand_over_state()\n        for value in self._measured.values():\n'
      '            value'),
    b('a setter for every kick',
      '        self._moved_base |= ((linear != 0.0) | (angular != 0.0)).any(-1)\n',
      '        self._moved_base.fill_(True)\n        self._hand_over_state()\n'),
    b('kicks never handed over',
      'self._moved_base |= ((linear != 0.0) | (angular != 0.0)).any(-1)', 'pass'),
    b('joints of a reset never handed over', '        self._moved_joints |= mask\n', ''),
    b('base of a reset never handed over', '        self._moved_base |= mask\n', ''),
    b('a restore that is not handed over', '        self._moved_base.fill_(True)\n', ''),
    b('a snapshot that is a view',
      '{name: value.clone() for name, value in self._carried().items()}', 'self._carried()'),
    b('a reset of every robot', 'torch.where(mask[:, None], root, self._root)', 'root'),
    b("a reset of every robot's joints",
      'torch.where(mask[:, None, None], joints, self._dof)', 'joints'),
    b('torque set once a step', '            gym.set_dof_actuation_force_tensor(sim, ',
      '            _ or gym.set_dof_actuation_force_tensor(sim, '),
    b('what the feet did before a reset is kept', 'value[mask] = 0.0', 'pass'),
    b('what the feet did in the step before is kept', 'tally.fill_(0.0)', 'pass'),
    b('the last force taken for the peak', 'torch.maximum(peak, forces)', 'forces'),
    b('slips added up', ' / self.physics.substeps', ''),
    b('feet in the air slip', '(forces > CONTACT_FORCE)', '(forces > -1.0)'),
    # Orders.
    b('joints in the order of the contract, written',
      '[names.index(name) for name in self._asset.dof_names]', 'range(len(names))'),
    b('joints in the order of the contract, read',
      '[self._asset.dof_names.index(name) for name in self.joint_names]',
      'range(len(self.joint_names))'),
    b('an order and its inverse confused',
      '[names.index(name) for name in self._asset.dof_names]',
      '[self._asset.dof_names.index(name) for name in names]'),
    b('gains in the order of the contract', 'torch.float32)[:, self._joint_of_dof])',
      'torch.float32))'),
    b('torques in the order of Isaac Gym', 'self._drive[:, self._dof_of_joint])',
      'self._drive[:, :len(self.joint_names)])'),
    b('left and right foot exchanged', 'for sole in self.robot.soles]',
      'for sole in self.robot.soles[::-1]]'),
    s("joints' figures in the order of the robot",
      'enumerate(asset.dof_names):', 'enumerate(sorted(asset.dof_names)[::-1]):'),
    b('quaternions w first, read', 'base_orientation=turn.clone()',
      'base_orientation=turn[:, [3, 0, 1, 2]]'),
    b('quaternions w first, written', '+ self._origins, turn, linear',
      '+ self._origins, turn[:, [3, 0, 1, 2]], linear'),
    b('position and velocity exchanged', 'self._dof[..., 0], self._dof[..., 1])',
      'self._dof[..., 1], self._dof[..., 0])'),
    b("joints' own damping forgotten", 'self._drive - self._damping * velocity', 'self._drive'),
    # Frames and velocities.
    b('origin of the environment kept in positions',
      'base_position=self._root[:, :3] - self._origins,\n            base_linear_velocity=self.'
      '_base_velocity())', 'base_position=self._root[:, :3] + 0.0,\n            '
      'base_linear_velocity=self._base_velocity())'),
    b('origin of the environment forgotten at a reset',
      "new['base_position'] + self._origins", "new['base_position']"),
    b('origin of the environment kept in soles', '                 - self._origins[:, None]),',
      '                 ),'),
    b("velocity of the centre of mass taken for the link's",
      'linear - self._com_velocity(turn, angular))', 'linear)'),
    b("velocity of the link written as the centre of mass's",
      ' + self._com_velocity(turn, angular)\n        root', '\n        root'),
    b('velocity of the centre of mass, wrong sign', 'linear - self._com_velocity(turn, angular))',
      'linear + self._com_velocity(turn, angular))'),
    b('a kick that forgets the centre of mass', 'linear + self._com_velocity(turn, spin)',
      'linear'),
    b("a kick that turns in the world's frame", 'spin = rotations.rotate(turn, angular)',
      'spin = angular'),
    b('turning velocity of the world, read',
      'rotations.rotate_inverse(turn, self._root[:, 10:13])', 'self._root[:, 10:13] + 0.0'),
    b('turning velocity of the base, written',
      "rotations.rotate(turn, new['base_angular_velocity'])", "new['base_angular_velocity']"),
    b("velocity of the foot taken for the sole's",
      'rotations.rotate(turn, self._sole_from_com))', '0.0 * linear)'),
    b("velocity of the sole about the foot's origin",
      'rotations.rotate(turn, self._sole_from_com))',
      'rotations.rotate(turn, self._sole_offset))'),
    b('soles in the frame of the foot', 'rotations.rotate(turn, self._sole_offset)\n',
      'self._sole_offset\n'),
    b('normals in the frame of the foot', 'rotations.rotate(turn, self._sole_normal)',
      'self._sole_normal.expand(len(turn), -1, -1)'),
    s("the trunk's centre of mass taken for the base's", "{'base': found[:, 0]",
      "{'base': found[:, 15]"),
    # Drives.
    s('joints driven to positions', "('driveMode', int(gymapi.DOF_MODE_EFFORT))",
      "('driveMode', int(gymapi.DOF_MODE_POS))"),
    s('joints driven by nothing', "('driveMode', int(gymapi.DOF_MODE_EFFORT))",
      "('driveMode', int(gymapi.DOF_MODE_NONE))"),
    s('no armature', "('armature', joint.armature)", "('armature', 0.0)"),
    s('damping on top of the PD law', "('damping', 0.0)", "('damping', 3.0)"),
    s('joints that rub', "('friction', 0.0)", "('friction', 3.0)"),
    s("joints' figures never set",
      "_require(gym.set_actor_dof_properties(env, actor, properties), 'DOF properties')", 'pass'),
    b('torques beyond the effort', 'velocity, *self._gains)',
      'velocity, *self._gains[:2], 9.0 * self._gains[2])'),
    b("every robot has the model's gains", 'values[:, :scale.shape[1]] *= scale', 'pass'),
    b('joints that nobody commands hold zero',
      '[joint.default for joint in self._joints[len(joints):]]',
      '[0.0 for joint in self._joints[len(joints):]]'),
    # Scene.
    b('FLEX, the default', 'gymapi.SIM_PHYSX', 'gymapi.SIM_FLEX'),
    s('y up, the default', 'params.up_axis, params.gravity = gymapi.UP_AXIS_Z, ',
      'params.gravity = '),
    s('gravity along y, the default', 'gymapi.Vec3(0.0, 0.0, -GRAVITY)',
      'gymapi.SimParams().gravity'),
    s('a floor that stands, the default', 'gymapi.Vec3(0.0, 0.0, 1.0), 0.0',
      'gymapi.PlaneParams().normal, 0.0'),
    s('no floor', 'gym.add_ground(sim, plane)', 'pass'),
    s('a physics step as long as a control step', '= physics.timestep, 1',
      '= physics.control_period, 1'),
    s('contact forces never gathered', 'gymapi.CC_LAST_SUBSTEP', 'gymapi.CC_NEVER'),
    s('contact forces of all substeps', 'gymapi.CC_LAST_SUBSTEP', 'gymapi.CC_ALL_SUBSTEPS'),
    s('an enumeration given as a number', 'gymapi.CC_LAST_SUBSTEP', '1'),
    s('a vector given as a tuple', 'gymapi.Vec3(0.0, 0.0, 1.0), 0.0', '(0.0, 0.0, 1.0), 0.0'),
    s('angular damping, the default', 'options.angular_damping = options.linear_damping = 0.0',
      'options.linear_damping = 0.0'),
    s('links without mass kept', 'options.collapse_fixed_joints = True',
      'options.collapse_fixed_joints = False'),
    s('no gravity', 'options.fix_base_link = options.disable_gravity = False',
      'options.disable_gravity = True'),
    s('all robots in one collision group', 'robot.name, i, 0)', 'robot.name, -1, 0)'),
    s('all robots at one place', 'return SPACING * ', 'return 0.0 * '),
    s('legs that pass through each other', 'LEFT_LEG, RIGHT_LEG, ELSEWHERE = 1, 2, 3',
      'LEFT_LEG, RIGHT_LEG, ELSEWHERE = 3, 3, 3'),
    s('links that collide with their neighbours', 'shape.filter = own_filter', 'pass'),
    # What differs from robot to robot.
    s('friction never set', 'shape.friction, shape.restitution = float(rubbing.shapes[i]), 0.0',
      'shape.restitution = 0.0'),
    s('friction of the first robot for all', 'float(rubbing.shapes[i])',
      'float(rubbing.shapes[0])'),
    s("friction without the floor's share", '2.0 * rounded - floor', 'rounded'),
    s('masses never scaled', '1.0 if v.mass_scale is None else v.mass_scale[i]', '1.0'),
    s('inertia not scaled with mass', 'row * factor for row in', 'row * 1.0 for row in'),
    s('inertia recomputed from shapes', 'bodies, False)', 'bodies, True)'),
    s('payload forgotten', 'factors[trunk] += v.payload[i] / bodies[trunk].mass', 'pass'),
    s('payload on the base', 'factors[trunk] += v.payload[i] / bodies[trunk].mass',
      'factors[0] += v.payload[i] / bodies[0].mass'),
    s('centre of mass not shifted',
      'bodies[trunk].com = bodies[trunk].com + gymapi.Vec3(x, y, z)', 'pass'),
    b('physics drawn too late', '            self._variation = variation\n', '            pass\n'),
]


def mutated(mutant: Mutant) -> type:
    """Give the backend's class with one edit."""
    source = SOURCES[mutant.file]
    assert source.count(mutant.old) == 1, f'{mutant.old!r} stands {source.count(mutant.old)} times'
    assert mutant.old != mutant.new
    modules = {}
    for name in (SCENE, BACKEND):
        text = source.replace(mutant.old, mutant.new) if name == mutant.file else SOURCES[name]
        modules[name] = types.ModuleType(name)
        exec(compile(text, f'{name} ({mutant.name})', 'exec'), vars(modules[name]))
    modules[BACKEND].scene = modules[SCENE]
    return modules[BACKEND].IsaacGymBackend


def test_the_backend_itself_passes():
    judge_class(IsaacGymBackend)


def test_an_edit_that_changes_nothing_passes():
    judge_class(mutated(b('a comment', 'class IsaacGymBackend', '# same\nclass IsaacGymBackend')))


def test_there_are_enough_mutants_and_each_is_another():
    assert len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize('mutant', MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant):
    cls = mutated(mutant)
    with pytest.raises(Exception) as caught:
        judge_class(cls)
    assert not isinstance(caught.value, (NameError, SyntaxError)), 'the edit is no program'


def test_the_table_in_the_docs_is_theirs():
    rows = [line.split(' | ')[0].lstrip('| ') for line in TABLE.read_text().splitlines()
            if line.startswith('| ')]
    assert rows[1:] == [mutant.name for mutant in MUTANTS]


def row(mutant: Mutant) -> str:
    """Give a mutant's line of the table; PYTHONPATH=test/support python FILE prints them."""
    try:
        judge_class(mutated(mutant))
    except Exception as error:
        text = str(error).splitlines()[0]
        if error.args and isinstance(error.args[0], tuple):
            when, worst = error.args[0]
            name = max(worst, key=worst.get)
            text = f'{when}: {name} differs by {worst[name]:.1f} tolerances'
        return f'| {mutant.name} | {text[:120]} |'
    return f'| {mutant.name} | nothing |'


if __name__ == '__main__':
    for it in MUTANTS:
        print(row(it))
