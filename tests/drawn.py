"""What stands in a figure."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def num_points(drawing: str) -> int:
    """Points of a Pareto plot: each is a use of its group's shape, or a shape of its own."""
    groups = [g for g in ElementTree.fromstring(drawing).iter(f"{SVG}g") if g.get("id", "").startswith("points")]
    return sum(len(g.findall(f".//{SVG}use") or g.findall(f".//{SVG}path")) for g in groups)
