# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Deterministic order of contacts and constraint rows in MuJoCo Warp.

GPU threads append to the next free index, so contacts and rows have a different order in each run,
and the sums of the solver are rounded differently. MuJoCo Warp's ``opt.deterministic`` fixes the
order of atomic sums, but its two sorting functions are still empty in 3.17. This module implements
them as functions for its public callbacks: after the collisions, and before the solver. Nothing
waits for the host and all shapes are fixed, so a step can still be captured in a CUDA graph.

Contacts or rows that exceed the allocated number are dropped in the order of arrival; such a robot
is reported by ``SimBackend.overflow``, and its steps are not repeatable.
"""

from __future__ import annotations

import dataclasses
from importlib import metadata

import mujoco_warp as mjw
import torch
import warp as wp

from humanoid_locomotion.core.errors import SimulationError

# The version whose source was checked for the arrays per contact and per row, and their readers.
VERSION = '3.17'
# Contacts of one pair of geoms are numbered below this (mjMAXCONPAIR is 50).
PAIR_CONTACTS = 64
LAST = torch.iinfo(torch.int64).max
# Arrays per row of make_constraint; of a sparse Jacobian only the row addresses are permuted.
ROW_FIELDS = ('type', 'id', 'J', 'J_rownnz', 'J_rowadr', 'pos', 'margin', 'D', 'vel', 'aref',
              'frictionloss', 'Jqvel')


class CanonicalOrder:
    """Sorts the contacts and constraint rows of one simulation.

    Args:
        model: With pyramidal cones and actuation, without sleeping or flexes.
        data: The data that the model is stepped with.

    Raises:
        SimulationError: The model or the library is not supported.
    """

    def __init__(self, model: mjw.Model, data: mjw.Data):
        _check(model)
        efc, contact = data.efc, data.contact
        self._num_contacts = wp.to_torch(data.nacon)
        self._num_rows = wp.to_torch(data.nefc)
        self._contacts = {
            field.name: wp.to_torch(getattr(contact, field.name))
            for field in dataclasses.fields(contact) if getattr(contact, field.name).size}
        self._rows = {name: wp.to_torch(getattr(efc, name)) for name in ROW_FIELDS
                      if getattr(efc, name).shape[1] >= data.njmax}
        self._blocks = [wp.to_torch(values) for values in (
            efc.jtdaj_nblock, efc.jtdaj_adr, efc.jtdaj_nrow)] if efc.jtdaj_adr.size else None
        device = self._num_rows.device
        self._worlds = torch.arange(data.nworld, device=device)[:, None]
        self._places = torch.arange(data.naconmax, device=device)
        self._row_places = torch.arange(data.njmax, device=device)
        self._num_geoms = model.ngeom

    def sort_contacts(self, _model: mjw.Model, _data: mjw.Data) -> None:
        """Order contacts by robot, pair of geoms and number in the pair; unused entries last.

        For ``callback.contactfilter``, before the constraint rows are made from the contacts.
        """
        key = self._contacts['worldid'].long()
        for geom in self._contacts['geom'].long().unbind(1):
            key = key * self._num_geoms + geom
        key = key * PAIR_CONTACTS + self._contacts['geomcollisionid']
        key = torch.where(self._places < self._num_contacts, key, LAST)
        order = key.argsort(stable=True)
        for values in self._contacts.values():
            values.copy_(values[order])

    def sort_rows(self, _model: mjw.Model, _data: mjw.Data) -> None:
        """Order each robot's rows by kind and object; unused rows last.

        For ``callback.control``, the last callback before the solver; code that runs between it
        and the creation of the rows finds rows by kind and object. The rows of one object are
        contiguous, and a stable sort keeps their order. Equalities, friction, limits and contacts
        are numbered in the order that the solver requires.
        """
        key = self._rows['type'].long() << 32 | self._rows['id'].long()
        key = torch.where(self._row_places < self._num_rows[:, None], key, LAST)
        order = key.argsort(dim=1, stable=True)
        for values in self._rows.values():
            values[:, :order.shape[1]] = values[self._worlds, order]
        moved_to = order.argsort(dim=1)
        address = self._contacts['efc_address']
        moved = moved_to[self._contacts['worldid'].long()[:, None], address.long().clamp(min=0)]
        address.copy_(torch.where(address < 0, address, moved.to(address.dtype)))
        if self._blocks is not None:
            self._sort_blocks(moved_to, *self._blocks)

    def _sort_blocks(self, moved_to: torch.Tensor, num_blocks: torch.Tensor,
                     address: torch.Tensor, num_rows: torch.Tensor) -> None:
        """Order the row blocks that a sparse Hessian is summed from by their first row."""
        used = self._row_places < num_blocks[:, None]
        moved = moved_to[self._worlds, torch.where(used, address.long(), 0)]
        order = torch.where(used, moved, LAST).argsort(dim=1, stable=True)
        address.copy_(moved[self._worlds, order])
        num_rows.copy_(num_rows[self._worlds, order])


def _check(model: mjw.Model) -> None:
    """Refuse settings that the sorting does not support, by name."""
    version = metadata.version('mujoco_warp')
    uncovered = {
        f'mujoco_warp {version}': version.rsplit('.', 1)[0] != VERSION,
        'a cone that is not pyramidal': model.opt.cone != mjw.ConeType.PYRAMIDAL,
        'sleeping': model.opt.enableflags & mjw.EnableBit.SLEEP,
        'flexes': model.nflex,
        'disabled actuation': model.opt.disableflags & mjw.DisableBit.ACTUATION,
    }
    names = [name for name, found in uncovered.items() if found]
    if names:
        raise SimulationError(
            f'MuJoCo Warp has no deterministic mode with {", ".join(names)}; contacts and rows '
            f'are sorted for mujoco_warp {VERSION}, pyramidal cones, actuated rigid bodies')
