"""Pictures as text: a network, its cost and what it computes, as SVG for notebooks and reports.

Each stands alone: no style sheet, script or font; lines take the colour of the text around them, so
that they suit a light page and a dark one; each says in words what it shows.
"""

from fastgd.svg.cost import Curve, Mark, cost_svg, members_svg
from fastgd.svg.network import network_svg
from fastgd.svg.surface import Surface, surface_svg

__all__ = [
    "Curve", "Mark", "Surface", "cost_svg", "members_svg", "network_svg", "surface_svg",
]  # fmt: skip
