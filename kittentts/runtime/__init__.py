"""ONNX Runtime: sessions, who runs in them when, and how a run is stopped."""
