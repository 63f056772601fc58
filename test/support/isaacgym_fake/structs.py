# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Structures and enumerations, as strict as the real bindings: unknown names, wrong types."""

import copy
import enum
from typing import Any, Dict, Tuple, get_type_hints

import numpy as np


def fits(value: Any, kind: Any) -> bool:
    """Tell whether the bindings would take a value for a type."""
    if kind is Any or getattr(kind, '__origin__', None) is not None:
        return True
    if kind is float:
        return isinstance(value, (int, float, np.floating, np.integer))
    if kind is int:
        return isinstance(value, (int, np.integer)) and not isinstance(value, enum.Enum)
    if kind is bool:
        return isinstance(value, (bool, np.bool_))
    return isinstance(value, kind)


class Struct:
    """Fields are class annotations with defaults."""

    def __init__(self) -> None:
        for name, value in self.defaults().items():
            object.__setattr__(self, name, copy.deepcopy(value))

    @classmethod
    def fields(cls) -> Dict[str, Any]:
        """Give every field's type."""
        return get_type_hints(cls)

    @classmethod
    def defaults(cls) -> Dict[str, Any]:
        """Give every field's default."""
        return {name: getattr(cls, name) for name in cls.fields()}

    def __setattr__(self, name: str, value: Any) -> None:
        fields = self.fields()
        if name not in fields:
            raise AttributeError(f'{type(self).__name__} has no attribute {name}')
        if not fits(value, fields[name]):
            raise TypeError(f'{type(self).__name__}.{name} wants {fields[name].__name__}, '
                            f'was given {value!r}')
        object.__setattr__(self, name, value)


class Vec3(Struct):
    """A vector."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> None:
        self.x, self.y, self.z = x, y, z

    def __add__(self, arg0: 'Vec3') -> 'Vec3':
        if not isinstance(arg0, Vec3):
            raise TypeError(f'Vec3 + {arg0!r}')
        return Vec3(self.x + arg0.x, self.y + arg0.y, self.z + arg0.z)

    def __mul__(self, arg0: float) -> 'Vec3':
        if not fits(arg0, float):
            raise TypeError(f'Vec3 * {arg0!r}')
        return Vec3(self.x * arg0, self.y * arg0, self.z * arg0)


def array(vector: Vec3) -> np.ndarray:
    """Give (3,)."""
    return np.array([vector.x, vector.y, vector.z], dtype=np.float64)


class Quat(Struct):
    """A rotation, x first."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    w: float = 1.0

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0, w: float = 1.0) -> None:
        self.x, self.y, self.z, self.w = x, y, z, w


class Transform(Struct):
    """A pose."""

    p: Vec3 = Vec3()
    r: Quat = Quat()

    def __init__(self, p: Vec3 = Vec3(), r: Quat = Quat()) -> None:
        self.p, self.r = copy.deepcopy(p), copy.deepcopy(r)


class Mat33(Struct):
    """A matrix of three rows."""

    x: Vec3 = Vec3()
    y: Vec3 = Vec3()
    z: Vec3 = Vec3()


class SimType(enum.IntEnum):
    """The engine."""

    SIM_PHYSX = 0
    SIM_FLEX = 1


class UpAxis(enum.IntEnum):
    """Where up is."""

    UP_AXIS_Y = 0
    UP_AXIS_Z = 1


class ContactCollection(enum.IntEnum):
    """When contact forces are gathered."""

    CC_NEVER = 0
    CC_LAST_SUBSTEP = 1
    CC_ALL_SUBSTEPS = 2


class DofDriveMode(enum.IntEnum):
    """What drives a joint."""

    DOF_MODE_NONE = 0
    DOF_MODE_POS = 1
    DOF_MODE_VEL = 2
    DOF_MODE_EFFORT = 3


class IndexDomain(enum.IntEnum):
    """What an index counts."""

    DOMAIN_ENV = 0
    DOMAIN_ACTOR = 1
    DOMAIN_SIM = 2


class KeyboardInput(enum.IntEnum):
    """A key."""

    KEY_ESCAPE = 256
    KEY_V = 86


class PhysXParams(Struct):
    """Figures of PhysX."""

    use_gpu: bool = False
    solver_type: int = 1
    num_position_iterations: int = 4
    num_velocity_iterations: int = 1
    contact_offset: float = 0.02
    rest_offset: float = 0.0
    bounce_threshold_velocity: float = 0.2
    max_depenetration_velocity: float = 100.0
    max_gpu_contact_pairs: int = 1024 * 1024
    default_buffer_size_multiplier: float = 2.0
    num_threads: int = 0
    num_subscenes: int = 0
    contact_collection: ContactCollection = ContactCollection.CC_ALL_SUBSTEPS
    friction_offset_threshold: float = 0.04
    friction_correlation_distance: float = 0.025
    always_use_articulations: bool = False


class SimParams(Struct):
    """Figures of a simulation: y is up until told otherwise."""

    dt: float = 1.0 / 60.0
    substeps: int = 2
    gravity: Vec3 = Vec3(0.0, -9.8, 0.0)
    up_axis: UpAxis = UpAxis.UP_AXIS_Y
    use_gpu_pipeline: bool = False
    num_client_threads: int = 0
    enable_actor_creation_warning: bool = True
    physx: PhysXParams = PhysXParams()


class PlaneParams(Struct):
    """The floor."""

    normal: Vec3 = Vec3(0.0, 1.0, 0.0)
    distance: float = 0.0
    static_friction: float = 1.0
    dynamic_friction: float = 1.0
    restitution: float = 0.0
    segmentation_id: int = 0


class TriangleMeshParams(Struct):
    """A floor of triangles."""

    nb_vertices: int = 0
    nb_triangles: int = 0
    transform: Transform = Transform()
    static_friction: float = 1.0
    dynamic_friction: float = 1.0
    restitution: float = 0.0
    segmentation_id: int = 0


class HeightFieldParams(Struct):
    """A floor of heights."""

    nbRows: int = 0
    nbColumns: int = 0
    row_scale: float = 1.0
    column_scale: float = 1.0
    vertical_scale: float = 1.0
    transform: Transform = Transform()
    static_friction: float = 1.0
    dynamic_friction: float = 1.0
    restitution: float = 0.0
    segmentation_id: int = 0


class AssetOptions(Struct):
    """How a file is read; angular damping and a cap on speed unless told otherwise."""

    angular_damping: float = 0.5
    armature: float = 0.0
    collapse_fixed_joints: bool = False
    default_dof_drive_mode: int = 0
    density: float = 1000.0
    disable_gravity: bool = False
    fix_base_link: bool = False
    flip_visual_attachments: bool = False
    linear_damping: float = 0.0
    max_angular_velocity: float = 64.0
    max_linear_velocity: float = 1000.0
    override_com: bool = False
    override_inertia: bool = False
    replace_cylinder_with_capsule: bool = False
    thickness: float = 0.02
    use_physx_armature: bool = True


class RigidBodyProperties(Struct):
    """What a link weighs."""

    mass: float = 0.0
    invMass: float = 0.0
    com: Vec3 = Vec3()
    inertia: Mat33 = Mat33()
    invInertia: Mat33 = Mat33()
    flags: int = 0


class RigidShapeProperties(Struct):
    """What a shape's surface is like."""

    friction: float = 1.0
    rolling_friction: float = 0.0
    torsion_friction: float = 0.0
    restitution: float = 0.0
    compliance: float = 0.0
    thickness: float = 0.0
    filter: int = 0
    contact_offset: float = 0.02
    rest_offset: float = 0.0


class IndexRange(Struct):
    """A slice."""

    start: int = 0
    count: int = 0


class CameraProperties(Struct):
    """A camera's figures."""

    width: int = 1600
    height: int = 900
    horizontal_fov: float = 90.0


DOF_DTYPE = np.dtype([
    ('hasLimits', '?'), ('lower', 'f4'), ('upper', 'f4'), ('driveMode', 'i4'),
    ('velocity', 'f4'), ('effort', 'f4'), ('stiffness', 'f4'), ('damping', 'f4'),
    ('friction', 'f4'), ('armature', 'f4')])


class Tensor:
    """A buffer's address; nothing that keeps it alive."""

    def __init__(self, owner: Any, shape: Tuple[int, ...]) -> None:
        self.owner, self.shape = owner, shape


class Handle:
    """What the bindings hand out; nobody else makes one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(f'{type(self).__name__}: No constructor defined!')


class Sim(Handle):
    """A simulation."""


class Env(Handle):
    """An environment."""


class Asset(Handle):
    """A robot that was read."""


class Viewer(Handle):
    """A window."""


class ActionEvent(Handle):
    """A key that was pressed, or let go."""
