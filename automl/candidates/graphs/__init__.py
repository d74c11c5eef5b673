"""ONNX graphs written node by node, shared by candidates of all tasks."""
