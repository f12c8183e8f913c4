"""Where meshes come from: files, and scenes on the wire."""
