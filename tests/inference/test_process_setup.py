"""Process-wide settings are made by `configure_process` alone, never by an import."""

import subprocess
import sys

import pytest

# Page faults of 20 rounds that each allocate and free 64 MB.
_COUNT_FAULTS = """
import resource, sys, warnings
import numpy as np
import torch
from PIL import Image
filters, threads = list(warnings.filters), torch.get_num_threads()
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.process_setup import configure_process
assert torch.get_num_threads() == threads
is_ours = lambda row: row[2] is Image.DecompressionBombWarning
assert not any(map(is_ours, warnings.filters))
if sys.argv[1] == "configured":
    configure_process(num_threads=1)
    assert torch.get_num_threads() == 1
    assert any(map(is_ours, warnings.filters))
np.ones(8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(8 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_configured_processes_keep_freed_memory_and_an_import_changes_nothing() -> None:
    def page_faults(state: str) -> int:
        command = [sys.executable, "-c", _COUNT_FAULTS, state]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    assert page_faults("configured") < page_faults("unconfigured") / 10
