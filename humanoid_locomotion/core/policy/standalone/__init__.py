"""The standalone policy: one ONNX file with everything between sensors and joint targets."""
