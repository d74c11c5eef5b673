"""A plugin for automl: the candidate `bayes` for tables, and the task `risk-clf`."""
