"""Which voxels are solid."""
