"""Name the result files of stage `evaluate` that other programs read."""

METRICS_FILE = "evaluation_metrics.json"
CERTAINTY_FILE = "certainty_metrics.json"
OTHER_SOURCE_FILE = "other_source_metrics.json"
OTHER_SOURCE_FOLDER = "other_source"
PREDICTIONS_FILE = "test_predictions.csv"
