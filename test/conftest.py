"""What every test gets: one thread per library, since the machine is shared."""

import os

# Before NumPy, PyTorch and MuJoCo are imported: two threads on a busy machine cost a hundredfold.
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('MUJOCO_GL', 'disable')

try:
    import torch
except ImportError:
    pass
else:
    torch.set_num_threads(1)
