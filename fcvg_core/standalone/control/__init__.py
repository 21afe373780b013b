"""Control frames: opens matchers and pose detectors, and draws what they find."""
