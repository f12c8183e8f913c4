"""Few-step stippling: a small net moves dots from the kd grid of a density to where they belong."""
