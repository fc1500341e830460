"""The parts of a build that a person sees: key, title, and seconds on a small machine under plain emulation.

The seconds count until this host's own figures are known.
"""

from __future__ import annotations

from crossbuild.model.plan import Venue, VenueKind

SOURCES = ("sources", "Package sources", 4.0)
TWIN = ("twin", "Native twin", 15.0)
LAYERS = (
    ("base", "Base system", 90.0),
    ("packages", "Packages", 100.0),
    ("configuration", "Configuration", 110.0),
)
VERIFICATION = ("verification", "Verification", 6.0)
PACKING = ("packing", "Artifacts", 30.0)

HANDOVER = ("handover", "Handover", 5.0)
HANDED_BACK = ("handing-back", "Handing back", 5.0)
"""The node's own, behind the layers."""
RETURN = ("return", "Return", 5.0)

Phases = tuple[tuple[str, str, float], ...]


def phases_of_build(venue: Venue) -> Phases:
    """Return what a build goes through whose root is made at *venue*."""
    if venue.kind is VenueKind.LOCAL:
        return (SOURCES, TWIN, *LAYERS, VERIFICATION, PACKING)
    # The site's policy may bring it here all the same.
    twin = (TWIN[0], TWIN[1], 0.0)
    return (SOURCES, HANDOVER, twin, *LAYERS, HANDED_BACK, RETURN, VERIFICATION, PACKING)
