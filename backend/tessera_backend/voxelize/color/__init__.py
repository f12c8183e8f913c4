"""Which colours voxels have."""
