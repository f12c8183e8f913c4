"""Training of the learned engines: densities, targets from the classical engines, and the loop."""
