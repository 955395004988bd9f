"""Fast doubles of the same expressions: heuristic, held to certified values in the tests."""
