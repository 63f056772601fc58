# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The deterministic mode of MuJoCo Warp: the order in which threads came leaves no trace.

A CPU has one order only, so others are dealt by hand before they are sorted.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('mujoco_warp')
pytest.importorskip('torch')

import mujoco
import mujoco_warp as mjw
from port_suite import ALL, PHYSICS, ROBOT, N, hold, posed, state, truth
import warp as wp

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.sim.mujoco_warp import deterministic as mujoco_warp_order
from humanoid_locomotion.sim.mujoco_warp.deterministic import CanonicalOrder
from humanoid_locomotion.training.config_file import load_config

slow = pytest.mark.slow


def arrays(group, length, axis):
    """Give as NumPy views all arrays of a dataclass that have a place for each of something."""
    named = {field.name: getattr(group, field.name) for field in dataclasses.fields(group)}
    return {name: array.numpy() for name, array in named.items()
            if array.ndim > axis and array.size and array.shape[axis] >= length}


def deal_contacts(rng):
    """Give a callback that puts the contacts in an order of chance."""
    def deal(_, data):
        count = int(data.nacon.numpy()[0])
        order = rng.permutation(count)
        for values in arrays(data.contact, data.naconmax, 0).values():
            values[:count] = values[:count][order]
    return deal


def deal_rows(rng):
    """Give a callback that deals the objects of each kind anew, with all that lies by row."""
    def deal(_, data):
        rows, contact = arrays(data.efc, data.njmax, 1), arrays(data.contact, data.naconmax, 0)
        rows.pop('island')  # of sleeping, not filled
        first, count = (rows.pop(f'jtdaj_{name}', None) for name in ('adr', 'nrow'))
        counts = np.stack([data.ne.numpy(), data.nf.numpy(), data.nl.numpy()], 1).cumsum(1)
        for world, (ends, nefc) in enumerate(zip(counts, data.nefc.numpy())):
            if nefc == 0:
                continue
            key = np.stack([rows['type'][world, :nefc], rows['id'][world, :nefc]])
            cuts = 1 + np.flatnonzero(np.any(key[:, 1:] != key[:, :-1], axis=0))
            blocks = np.split(np.arange(nefc), cuts)
            kinds = [np.searchsorted(ends, block[0], 'right') for block in blocks]
            dealt = sorted(rng.permutation(len(kinds)), key=lambda i: kinds[i])
            order = np.concatenate([blocks[i] for i in dealt])
            for values in rows.values():
                values[world, :nefc] = values[world, order]
            moved_to = np.argsort(order)
            own = contact['efc_address'][contact['worldid'] == world]
            contact['efc_address'][contact['worldid'] == world] = np.where(
                own < 0, own, moved_to[own.clip(0, nefc - 1)])
            if data.efc.J.shape[1] == 1:  # sparse
                dealt = rng.permutation(data.efc.jtdaj_nblock.numpy()[world])
                first[world, :dealt.size] = moved_to[first[world, dealt]]
                count[world, :dealt.size] = count[world, dealt]
    return deal


def opened(deterministic, contacts=None, rows=None, sort=True):
    """Open the backend, with what is to happen to contacts and rows before they are sorted."""
    backend = open_backend('mujoco_warp', ROBOT, N, PHYSICS, device='cpu',
                           deterministic=deterministic)
    for name, deal in (('contactfilter', contacts), ('control', rows)):
        if deal is not None:
            then = getattr(backend._model.callback, name) if sort else None
            setattr(backend._model.callback, name, then_after(deal, then))
    return backend


def then_after(first, then):
    """Give a callback that does two things."""
    def both(model, data):
        first(model, data)
        if then is not None:
            then(model, data)
    return both


def inside(backend):
    """Give the contacts and constraint rows that are in use."""
    data = backend._data
    rows, nefc = arrays(data.efc, data.njmax, 1), data.nefc.numpy()
    blocks = {name: rows.pop(name) for name in list(rows) if name.startswith('jtdaj')}
    contacts = arrays(data.contact, data.naconmax, 0)
    return {
        **{f'contact.{name}': values[:data.nacon.numpy()[0]].copy()
           for name, values in contacts.items()},
        **{f'efc.{name}': np.concatenate([row[:n] for row, n in zip(values, nefc)])
           for name, values in rows.items()},
        **{f'efc.{name}': np.concatenate(
            [row[:n] for row, n in zip(values, data.efc.jtdaj_nblock.numpy())])
           for name, values in blocks.items()}}


def seen(backend):
    """Give all that is to be seen of the robots."""
    both = {**vars(state(backend)), **vars(truth(backend))}
    return {name: np.array(value) for name, value in both.items() if value is not None}


def tumbled(backend, steps=5, falling=True):
    """Step three robots that stand, or that fall and reach their joints' stops."""
    start, rng = backend.default_state(), np.random.default_rng(3)
    targets = np.array(start.joint_positions)
    if falling:
        turned = rng.normal(size=(N, 4)).astype(np.float32)
        start = posed(backend, base_position=[0.0, 0.0, 0.3],
                      base_orientation=turned / np.linalg.norm(turned, axis=1, keepdims=True))
        targets = targets + rng.uniform(-3.0, 3.0, targets.shape).astype(np.float32)
    backend.reset(ALL, start)
    for _ in range(steps):
        backend.step(JointTargets(targets))
    return backend


def differing(a, b):
    """Give the names of the arrays that are not equal to the last bit."""
    return [name for name in a if a[name].tobytes() != b[name].tobytes()]


@slow
@pytest.mark.parametrize('falling', [False, True])
def test_the_order_of_arrival_leaves_no_trace(falling):
    for steps in (2, 5):  # on the ground; at the joints' stops
        straight = tumbled(opened(True), steps, falling)
        for seed in range(2):
            rng = np.random.default_rng(seed)
            for dealt in ({'contacts': deal_contacts(rng)}, {'rows': deal_rows(rng)},
                          {'contacts': deal_contacts(rng), 'rows': deal_rows(rng)}):
                other = tumbled(opened(True, **dealt), steps, falling)
                assert not differing(seen(straight), seen(other))
                assert not differing(inside(straight), inside(other))


@slow
def test_nor_does_it_on_rough_ground():
    settings = load_config(config_file('training', 'unitree_g1_rough'))
    count = 2 * len(settings.terrain.kinds)
    backend = open_backend('mujoco_warp', load_robot('unitree_g1'), count, settings.physics,
                           device='cpu', deterministic=True, terrain=settings.terrain)
    start = backend.default_state()
    place = start.base_position + backend.terrain.starts[[3, 5]].reshape(-1, 3)
    place[:, 1] += 1.3
    place[:, 2] = backend.robot.base_height + backend.terrain.ground(place) + 0.03
    callback, rng, runs = backend._model.callback, np.random.default_rng(0), []
    pose = np.array(start.joint_positions)
    pose[::2] += rng.uniform(-3.0, 3.0, pose[::2].shape)  # half of them to their joints' stops
    for _ in range(2):
        backend.reset(np.ones(count, bool), dataclasses.replace(start, base_position=place))
        hold(backend, 8, pose)
        runs.append({**seen(backend), **inside(backend)})
        callback.contactfilter = then_after(deal_contacts(rng), callback.contactfilter)
        callback.control = then_after(deal_rows(rng), callback.control)
    assert not differing(*runs)
    assert backend._model.is_sparse
    assert runs[0]['contact.geomcollisionid'].max() > 0
    assert set(runs[0]['efc.jtdaj_nrow']) == {1, 4}  # a joint's stop, a contact


@slow
@pytest.mark.parametrize('dealt', ['contacts', 'rows'])
def test_unsorted_it_does(dealt):
    """Else the test above would show nothing."""
    deal = {'contacts': deal_contacts, 'rows': deal_rows}[dealt](np.random.default_rng(0))
    assert differing(seen(tumbled(opened(True, sort=False))),
                     seen(tumbled(opened(True, **{dealt: deal}, sort=False))))


@slow
@pytest.mark.parametrize('falling', [False, True])
def test_the_physics_is_the_same(falling):
    plain, ordered = (seen(tumbled(opened(it), 2, falling)) for it in (False, True))
    for name in ('joint_positions', 'base_position', 'base_orientation', 'sole_positions'):
        assert ordered[name] == pytest.approx(plain[name], abs=1e-4), name
    assert ordered['joint_velocities'] == pytest.approx(plain['joint_velocities'], abs=1e-2)
    assert ordered['sole_forces'] == pytest.approx(plain['sole_forces'], abs=1.0)


@slow
def test_contacts_and_rows_lie_in_order():
    backend = opened(True, deal_contacts(np.random.default_rng(0)),
                     deal_rows(np.random.default_rng(1)))
    tumbled(backend, 2)
    data = backend._data
    contact, rows = arrays(data.contact, 0, 0), arrays(data.efc, 0, 1)
    key = [(w, *g, i) for w, g, i in zip(
        contact['worldid'], contact['geom'].tolist(), contact['geomcollisionid'])]
    count = int(data.nacon.numpy()[0])
    assert count > 2 * N and key[:count] == sorted(set(key[:count]))
    for i in range(count):
        for place, address in enumerate(contact['efc_address'][i]):
            if address >= 0:
                assert rows['id'][contact['worldid'][i], address] == i
                assert address == contact['efc_address'][i][0] + place
    kinds = set()
    for world, nefc in enumerate(data.nefc.numpy()):
        key = list(zip(rows['type'][world, :nefc], rows['id'][world, :nefc]))
        assert key == sorted(key)
        kinds.update(kind for kind, _ in key)
    assert {mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT,
            mujoco.mjtConstraint.mjCNSTR_CONTACT_PYRAMIDAL} <= kinds


@slow
def test_a_lack_of_room_is_still_counted():
    cramped = dataclasses.replace(PHYSICS, max_constraints=40, max_contacts=8)
    backend = open_backend('mujoco_warp', ROBOT, N, cramped, device='cpu', deterministic=True)
    hold(backend)
    assert not np.any(np.asarray(backend.overflow()))
    half = np.sqrt(0.5)
    sunk = posed(backend, base_position=[0.0, 0.0, 0.1], base_orientation=[half, 0, 0, half])
    backend.reset(np.array([False, True, False]), sunk)
    hold(backend)
    assert np.asarray(backend.overflow())[1]
    assert np.all(np.isfinite(state(backend).joint_positions))
    backend.close()


OPTION = ('<mujoco><option {}>{}</option><worldbody><body><freejoint/><geom size="1"/></body>'
          '</worldbody></mujoco>')


@pytest.mark.parametrize('attributes, flag, name', [
    ('cone="elliptic"', '', 'a cone that is not pyramidal'),
    ('', '<flag sleep="enable"/>', 'sleeping'),
    ('', '<flag actuation="disable"/>', 'disabled actuation')])
def test_what_is_not_covered_is_refused_by_name(attributes, flag, name):
    plain = mujoco.MjModel.from_xml_string(OPTION.format('', ''))
    other = mujoco.MjModel.from_xml_string(OPTION.format(attributes, flag))
    with wp.ScopedDevice('cpu'):
        data = mjw.make_data(plain)
        CanonicalOrder(mjw.put_model(plain), data)
        with pytest.raises(SimulationError, match=f'deterministic mode with {name};'):
            CanonicalOrder(mjw.put_model(other), data)


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(mujoco_warp_order.metadata, 'version', lambda name: '3.18.0')
    plain = mujoco.MjModel.from_xml_string(OPTION.format('', ''))
    with wp.ScopedDevice('cpu'), pytest.raises(SimulationError, match=r'mujoco_warp 3\.18\.0;'):
        CanonicalOrder(mjw.put_model(plain), mjw.make_data(plain))
