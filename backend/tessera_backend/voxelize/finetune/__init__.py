"""Engine `voxify`: voxels are optimized until six views of them look like pixel art (Huang et al. 2025, section 3.2).

An opacity and palette logits for each voxel that may be seen; losses of pixels, depth, silhouettes and, with weights,
CLIP. Views look along the grid's axes, so that a ray is a row of voxels: nothing is sampled or interpolated.
"""
