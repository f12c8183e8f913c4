"""What Tessera's Inkscape effects are made of: gather from the document, follow a job, place its result."""
