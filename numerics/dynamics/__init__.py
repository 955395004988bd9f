"""The learners in motion: gradient flow, stability, one-pass SGD exactly in law, networks."""
