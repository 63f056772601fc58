# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Courses for the planner."""

import pytest


@pytest.fixture
def course(ros):
    """Make courses, and free them."""
    from planner_course import Course
    made = []

    def make(**parameters):
        made.append(Course(**parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()
