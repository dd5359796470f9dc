"""From closed forms to numbers: generated source, its compilation, and curvature from the jet."""
