"""Recipe entries to methods, in the one order in which methods act."""

from collections.abc import Sequence
from pkgutil import resolve_name

from safety_assets.method_specs import MethodSpec
from safety_assets.methods.moments import Method


def build(spec: MethodSpec) -> Method:
    """The method that a recipe entry names; a spec says which class carries it out."""
    method = resolve_name(spec.carried_out_by)(spec)
    assert isinstance(method, Method)
    return method


def build_all(specs: Sequence[MethodSpec]) -> list[Method]:
    """Methods in the order of their places, and within a place in that of the recipe."""
    return [build(spec) for spec in sorted(specs, key=lambda spec: spec.place)]
