"""Pictures of meshes and voxels."""
