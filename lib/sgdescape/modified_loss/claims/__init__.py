"""Claims of chapter `modified_loss`: the illustration, the cloud, exact relations, reversal.

No fits and intervals here: those are in `estimates`.
"""

from sgdescape.modified_loss.claims.cloud import (
    cloud_shape,
    constant_noise,
    elliptic_velocities,
    flat_modes,
    isotropic_positions,
    mahalanobis,
    minibatch,
    weight_decay,
)
from sgdescape.modified_loss.claims.illustration import toy_current, toy_entropy
from sgdescape.modified_loss.claims.relations import (
    curvature,
    equipartition,
    excess_loss,
    midpoint,
    rotation,
    shuffled,
)
from sgdescape.modified_loss.claims.reversal import (
    arrow,
    arrow_size,
    image_currents,
    images,
    irreversible,
    position_current,
    reversible,
)

__all__ = [
    "arrow",
    "arrow_size",
    "cloud_shape",
    "constant_noise",
    "curvature",
    "elliptic_velocities",
    "equipartition",
    "excess_loss",
    "flat_modes",
    "image_currents",
    "images",
    "irreversible",
    "isotropic_positions",
    "mahalanobis",
    "midpoint",
    "minibatch",
    "position_current",
    "reversible",
    "rotation",
    "shuffled",
    "toy_current",
    "toy_entropy",
    "weight_decay",
]
