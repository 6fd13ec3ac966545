"""Name the result files of stage `evaluate` that other programs read."""

METRICS_FILE = "evaluation_metrics.json"
CERTAINTY_FILE = "certainty_metrics.json"
PREDICTIONS_FILE = "test_predictions.csv"
