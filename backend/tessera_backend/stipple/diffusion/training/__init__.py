"""Training of the learned engines: densities, targets from the classical engines, and the loop."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loop import Recipe

# name -> (module, class, help)
RECIPES = {
    "local": ("local", "Local", "Denoiser over the kd grid; learns relaxed sets. Samples with many calls."),
    "student": ("student", "Student", "The same net, from weights of `local`; learns to need few calls."),
    "base": ("paper", "Base", "The paper's U-Net; learns blue noise without a density. Needed for `control`."),
    "control": ("paper", "Control", "The paper's control branch, on weights of `base`; learns to follow densities."),
}


def recipe(name: str) -> type[Recipe]:
    """The class of a recipe, by its name; imported only now, since it loads torch."""
    module, cls, _ = RECIPES[name]
    found: type[Recipe] = getattr(importlib.import_module(f"{__name__}.{module}"), cls)
    return found
