"""Run trained networks: predictor, optimized and OpenVINO inference, prefetch."""
