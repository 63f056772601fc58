# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The part of ``isaacgym.gymapi`` that a locomotion trainer may use, with the real signatures."""

import copy
import functools
import inspect
from typing import Any, Callable, Dict, List, Optional, get_type_hints

from isaacgym import assets, structs
from isaacgym.structs import (
    ActionEvent,
    Asset,
    AssetOptions,
    CameraProperties,
    ContactCollection,
    DofDriveMode,
    Env,
    HeightFieldParams,
    IndexDomain,
    IndexRange,
    KeyboardInput,
    Mat33,
    PhysXParams,
    PlaneParams,
    Quat,
    RigidBodyProperties,
    RigidShapeProperties,
    Sim,
    SimParams,
    SimType,
    Tensor,
    Transform,
    TriangleMeshParams,
    UpAxis,
    Vec3,
    Viewer,
)
from isaacgym.world import Actor, Place, World, blame
import numpy as np

for _enum in (SimType, UpAxis, ContactCollection, DofDriveMode, IndexDomain,
              KeyboardInput):
    globals().update(_enum.__members__)

__all__ = ['Gym', 'Mat33', 'PhysXParams', 'Quat', 'acquire_gym', 'structs']


class _Robot(Asset):
    def __init__(self, model: assets.Model):
        self.model = model


class _Window(Viewer):
    def __init__(self) -> None:
        self.frames = 0
        self.actions: Dict[KeyboardInput, str] = {}
        self.pressed: List[KeyboardInput] = []


class _Pressed(ActionEvent):
    value = 1.0

    def __init__(self, action: str):
        self.action = action


def checked(method: Callable) -> Callable:
    """Refuse arguments of other types, as the bindings do."""
    signature, hints = inspect.signature(method), get_type_hints(method)

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in hints and not structs.fits(value, hints[name]):
                raise TypeError(f'{method.__name__}(): {name} wants {hints[name]}, '
                                f'was given {value!r}')
        return method(*args, **kwargs)

    return call


def strict(cls: type) -> type:
    """Check every public method."""
    for name, method in list(vars(cls).items()):
        if not name.startswith('_'):
            setattr(cls, name, checked(method))
    return cls


@strict
class Gym:
    """The singleton; :func:`acquire_gym` gives it."""

    def __init__(self) -> None:
        raise TypeError('isaacgym.gymapi.Gym: No constructor defined!')

    # Simulation, floor, robots.

    def create_sim(self, compute_device: int = 0, graphics_device: int = 0,
                   type: SimType = SimType.SIM_FLEX,
                   params: SimParams = SimParams()) -> Sim:
        return World(type, copy.deepcopy(params), graphics_device)

    def destroy_sim(self, arg0: Sim) -> None:
        arg0.destroyed = True

    def add_ground(self, sim: Sim, params: PlaneParams) -> None:
        sim.need(False, 'add_ground')
        if sim.envs:
            blame('add_ground after create_env')
        sim.plane = copy.deepcopy(params)

    def add_triangle_mesh(self, arg0: Sim, arg1: np.ndarray, arg2: np.ndarray,
                          arg3: TriangleMeshParams) -> None:
        arg0.need(False, 'add_triangle_mesh')
        if arg1.dtype != np.float32 or arg2.dtype != np.uint32 or arg1.ndim + arg2.ndim != 2:
            raise TypeError('add_triangle_mesh: wants flat float32 and uint32')
        if (arg1.size, arg2.size) != (3 * arg3.nb_vertices, 3 * arg3.nb_triangles):
            raise ValueError('add_triangle_mesh: other numbers than those of the arrays')
        vertices = arg1.reshape(-1, 3)
        a, b, c = (vertices[arg2.reshape(-1, 3)[:, k]].astype(np.float64) for k in range(3))
        if (np.cross(b - a, c - a)[:, 2] <= 0.0).any():
            raise ValueError('a ground that is seen from below')
        arg0.plane = copy.deepcopy(arg3)
        arg0.mesh = assets.Mesh(vertices, structs.array(arg3.transform.p))

    def add_heightfield(self, arg0: Sim, arg1: np.ndarray, arg2: HeightFieldParams) -> None:
        arg0.need(False, 'add_heightfield')
        if arg1.dtype != np.int16 or arg1.shape != (arg2.nbRows * arg2.nbColumns,):
            raise TypeError('add_heightfield: wants flat int16, one for each row and column')
        x, y = np.meshgrid(np.arange(arg2.nbColumns) * arg2.column_scale,
                           np.arange(arg2.nbRows) * arg2.row_scale, indexing='ij')
        arg0.plane = copy.deepcopy(arg2)
        arg0.mesh = assets.Mesh(np.stack((x.ravel(), y.ravel(), arg1 * arg2.vertical_scale), -1),
                                structs.array(arg2.transform.p))

    def load_asset(self, sim: Sim, rootpath: str, filename: str,
                   options: AssetOptions = None) -> Optional[Asset]:
        options = copy.deepcopy(options or AssetOptions())
        model = assets.read(rootpath, filename, options)
        return None if model is None else _Robot(model)

    def create_env(self, arg0: Sim, arg1: Vec3, arg2: Vec3, arg3: int) -> Env:
        arg0.need(False, 'create_env')
        arg0.envs.append(Place(arg0, arg1, arg2, arg3))
        return arg0.envs[-1]

    def create_actor(self, env: Env, asset: Asset, pose: Transform, name: str = None,
                     group: int = -1, filter: int = -1, segmentationId: int = 0) -> int:
        env.world.need(False, 'create_actor')
        env.actors.append(Actor(asset.model, copy.deepcopy(pose), group, filter))
        return len(env.actors) - 1

    def get_actor_index(self, arg0: Env, arg1: int, arg2: IndexDomain) -> int:
        return arg0.number if arg2 is IndexDomain.DOMAIN_SIM else arg1

    def get_env_origin(self, arg0: Env) -> Vec3:
        return Vec3(*map(float, arg0.origin))

    def prepare_sim(self, arg0: Sim) -> bool:
        return arg0.prepare()

    # What the file says.

    def get_asset_dof_names(self, arg0: Asset) -> List[str]:
        return list(arg0.model.dof_names)

    def get_asset_dof_properties(self, arg0: Asset) -> np.ndarray:
        return arg0.model.dof_properties()

    def get_asset_rigid_body_names(self, arg0: Asset) -> List[str]:
        return [link.name for link in arg0.model.links]

    def get_asset_rigid_body_dict(self, arg0: Asset) -> Dict[str, int]:
        return {link.name: i for i, link in enumerate(arg0.model.links)}

    def get_asset_rigid_shape_count(self, arg0: Asset) -> int:
        return arg0.model.num_shapes

    def get_asset_rigid_body_shape_indices(self, arg0: Asset) -> List[IndexRange]:
        ranges, start = [], 0
        for link in arg0.model.links:
            piece = IndexRange()
            piece.start, piece.count = start, len(link.shapes)
            ranges.append(piece)
            start += piece.count
        return ranges

    # What each robot is given.

    def set_actor_dof_properties(self, arg0: Env, arg1: int, arg2: np.ndarray) -> bool:
        arg0.world.need(False, 'set_actor_dof_properties')
        arg0.actors[arg1].dofs = np.array(arg2, structs.DOF_DTYPE)
        return True

    def get_actor_dof_properties(self, arg0: Env, arg1: int) -> np.ndarray:
        return arg0.actors[arg1].dofs.copy()

    def get_actor_rigid_shape_properties(self, arg0: Env,
                                         arg1: int) -> List[RigidShapeProperties]:
        return copy.deepcopy(arg0.actors[arg1].shapes)

    def set_actor_rigid_shape_properties(self, arg0: Env, arg1: int,
                                         arg2: List[RigidShapeProperties]) -> bool:
        arg0.world.need(False, 'set_actor_rigid_shape_properties')
        if any(shape.friction < 0.0 for shape in arg2):
            blame('friction below zero')
        arg0.actors[arg1].shapes = copy.deepcopy(arg2)
        return True

    def get_actor_rigid_body_properties(self, arg0: Env, arg1: int) -> List[RigidBodyProperties]:
        return copy.deepcopy(arg0.actors[arg1].bodies)

    def set_actor_rigid_body_properties(self, env: Env, actorHandle: int,
                                        props: List[RigidBodyProperties],
                                        recomputeInertia: bool = False) -> bool:
        env.world.need(False, 'set_actor_rigid_body_properties')
        env.actors[actorHandle].bodies = copy.deepcopy(props)
        if recomputeInertia:  # from shapes that are not the link's
            for body in env.actors[actorHandle].bodies:
                body.inertia = assets.matrix33(4e-3 * body.mass * np.eye(3))
        return True

    # Buffers.

    def acquire_actor_root_state_tensor(self, arg0: Sim) -> Tensor:
        return arg0.acquire('root')

    def acquire_dof_state_tensor(self, arg0: Sim) -> Tensor:
        return arg0.acquire('dof')

    def acquire_rigid_body_state_tensor(self, arg0: Sim) -> Tensor:
        return arg0.acquire('bodies')

    def acquire_net_contact_force_tensor(self, arg0: Sim) -> Tensor:
        return arg0.acquire('contacts')

    def refresh_actor_root_state_tensor(self, arg0: Sim) -> bool:
        return arg0.refresh('root')

    def refresh_dof_state_tensor(self, arg0: Sim) -> bool:
        return arg0.refresh('dof')

    def refresh_rigid_body_state_tensor(self, arg0: Sim) -> bool:
        return arg0.refresh('bodies')

    def refresh_net_contact_force_tensor(self, arg0: Sim) -> bool:
        return arg0.refresh('contacts')

    def set_actor_root_state_tensor(self, arg0: Sim, arg1: Tensor) -> bool:
        return arg0.set('root', arg1)

    def set_actor_root_state_tensor_indexed(self, arg0: Sim, arg1: Tensor, arg2: Tensor,
                                            arg3: int) -> bool:
        return arg0.set('root', arg1, arg2, arg3)

    def set_dof_state_tensor(self, arg0: Sim, arg1: Tensor) -> bool:
        return arg0.set('dof', arg1)

    def set_dof_state_tensor_indexed(self, arg0: Sim, arg1: Tensor, arg2: Tensor,
                                     arg3: int) -> bool:
        return arg0.set('dof', arg1, arg2, arg3)

    def set_dof_actuation_force_tensor(self, arg0: Sim, arg1: Tensor) -> bool:
        return arg0.set('force', arg1)

    def set_dof_position_target_tensor(self, arg0: Sim, arg1: Tensor) -> bool:
        return arg0.set('goals', arg1)

    # Time and pictures.

    def simulate(self, arg0: Sim) -> None:
        arg0.simulate()

    def fetch_results(self, arg0: Sim, arg1: bool) -> None:
        arg0.unfetched = False

    def create_viewer(self, arg0: Sim, arg1: CameraProperties) -> Optional[Viewer]:
        return _Window() if arg0.graphics >= 0 else None

    def viewer_camera_look_at(self, arg0: Viewer, arg1: Optional[Env], arg2: Vec3,
                              arg3: Vec3) -> None:
        pass

    def subscribe_viewer_keyboard_event(self, arg0: Viewer, arg1: KeyboardInput,
                                        arg2: str) -> None:
        arg0.actions[arg1] = arg2

    def query_viewer_action_events(self, arg0: Viewer) -> List[ActionEvent]:
        pressed, arg0.pressed = arg0.pressed, []
        return [_Pressed(arg0.actions[key]) for key in pressed if key in arg0.actions]

    def poll_viewer_events(self, arg0: Viewer) -> None:
        pass

    def query_viewer_has_closed(self, arg0: Viewer) -> bool:
        return arg0.frames >= 3

    def step_graphics(self, arg0: Sim) -> None:
        if arg0.unfetched:
            blame('step_graphics without fetch_results')

    def draw_viewer(self, viewer: Viewer, sim: Sim, render_collision: bool = True) -> None:
        viewer.frames += 1

    def destroy_viewer(self, arg0: Viewer) -> None:
        arg0.frames = -1


def acquire_gym(*args: Any, **kwargs: Any) -> Gym:
    """Give the singleton."""
    return _GYM


_GYM = Gym.__new__(Gym)
