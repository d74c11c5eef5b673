collect_ignore = ["automl-bayes"]  # it is tested where it is installed, see test_plugin.py
