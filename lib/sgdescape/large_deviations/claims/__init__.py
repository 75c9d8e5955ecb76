"""Claims of chapter `large_deviations`: statements with their verdicts.

`exponents` is about linear regression and the circle, `models` about the circle with further
directions and about a network, `camel` about the three-hump camel. Intervals are not made here but
in `estimates`.
"""

from sgdescape.large_deviations.claims.camel import camel_helped, camel_hindered, camel_normal
from sgdescape.large_deviations.claims.exponents import (
    batches,
    bounded_inputs,
    circle_climb,
    circle_jump,
    circle_splitting,
    circle_time,
    circle_time_batch,
    climb,
    climb_and_jump,
    climb_time,
    jump_time,
    many_jumps,
    tail,
    two_inputs,
    two_jumps,
)
from sgdescape.large_deviations.claims.models import (
    circle_direction,
    circle_directions,
    network_batch,
    network_bend,
)

__all__ = [
    "batches",
    "bounded_inputs",
    "camel_helped",
    "camel_hindered",
    "camel_normal",
    "circle_climb",
    "circle_direction",
    "circle_directions",
    "circle_jump",
    "circle_splitting",
    "circle_time",
    "circle_time_batch",
    "climb",
    "climb_and_jump",
    "climb_time",
    "jump_time",
    "many_jumps",
    "network_batch",
    "network_bend",
    "tail",
    "two_inputs",
    "two_jumps",
]
