"""Voxels as files and arrays."""
