"""Drawings as SVG files, and back."""

from .parse import parse
from .write import NAMESPACE, to_svg

__all__ = ["NAMESPACE", "parse", "to_svg"]
