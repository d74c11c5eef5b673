"""Contract suites, simulated worlds and tiny data, for this package's tests and for plugin authors."""
