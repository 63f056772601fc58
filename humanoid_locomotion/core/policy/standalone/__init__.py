# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The standalone policy: one ONNX file with everything between sensors and joint targets."""
