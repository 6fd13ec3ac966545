import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panthera_vision.errors import UserError
from panthera_vision.search.embedding.cache import (
    CHUNK,
    KEY_FILE,
    CacheKey,
    create_cache,
    open_cache,
)

KEY = CacheKey("a" * 64, "features")


def name(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


def row(number: int) -> np.ndarray:
    return np.array([number, number + 0.5, -number], dtype=np.float32)


def rows(numbers: list[int]) -> np.ndarray:
    return np.stack([row(number) for number in numbers])


@settings(max_examples=25, deadline=None)
@given(
    runs=st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 900)).map(sorted), min_size=1, max_size=4
    )
)
def test_cache_returns_the_right_row_after_any_adds_and_removals(
    runs: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("store")
    known: set[int] = set()
    for first, last in runs:
        wanted = list(range(first, last + 1))
        store = create_cache(folder, KEY)
        photos = [name(number) for number in wanted]
        missing = [wanted[at] for at in store.missing(photos)]
        assert set(missing) == set(wanted) - known
        if missing:
            store.add([name(number) for number in missing], rows(missing))
        assert store.retain(photos) == len(known - set(wanted))
        known = set(wanted)
        again = open_cache(folder, KEY)
        assert len(again) == len(wanted)
        gathered = again.gather(photos[::-1], folder / "gathered.part")
        assert np.array_equal(gathered, rows(wanted[::-1]))
        # Nothing is kept twice, nothing grows with the number of runs.
        assert len(list(folder.glob("*.npz"))) <= -(-len(wanted) // CHUNK) + 1


def test_equal_photos_are_cached_once(tmp_path: Path) -> None:
    store = create_cache(tmp_path, KEY)
    assert store.missing([name(1), name(2), name(1)]) == [0, 1]
    store.add([name(1), name(2)], rows([1, 2]))
    gathered = store.gather([name(1), name(2), name(1)], tmp_path / "gathered.part")
    assert np.array_equal(gathered, rows([1, 2, 1]))


def test_interrupted_run_resumes_from_saved_chunks(tmp_path: Path) -> None:
    store = create_cache(tmp_path, KEY)
    store.add([name(1)], rows([1]))
    store.add([name(2), name(3)], rows([2, 3]))
    (tmp_path / "000002.npz.part").write_bytes(b"half a fi")
    again = create_cache(tmp_path, KEY)
    assert again.missing([name(number) for number in range(1, 5)]) == [3]
    assert not list(tmp_path.glob("*.part"))


def test_interruption_while_repacking_loses_no_rows(tmp_path: Path) -> None:
    store = create_cache(tmp_path, KEY)
    store.add([name(1), name(2)], rows([1, 2]))
    store.add([name(3)], rows([3]))
    before = tmp_path / "before"
    before.mkdir()
    for chunk in tmp_path.glob("*.npz"):
        shutil.copy(chunk, before)
    store.retain([name(1), name(3)])
    # As if it had ended after the new chunk was written, before the old ones went.
    for chunk in before.glob("*.npz"):
        shutil.copy(chunk, tmp_path)
    again = create_cache(tmp_path, KEY)
    again.retain([name(1), name(3)])
    assert len(again) == 2
    assert len(list(tmp_path.glob("*.npz"))) == 1
    gathered = again.gather([name(3), name(1)], tmp_path / "gathered.part")
    assert np.array_equal(gathered, rows([3, 1]))


@pytest.mark.parametrize("other", [CacheKey("b" * 64, "features"), CacheKey("a" * 64, "whitened")])
def test_cache_of_another_model_or_kind_is_emptied(tmp_path: Path, other: CacheKey) -> None:
    create_cache(tmp_path, KEY).add([name(1)], rows([1]))
    with pytest.raises(UserError, match="was made with another model"):
        open_cache(tmp_path, other)
    assert len(create_cache(tmp_path, other)) == 0
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_errors_name_a_damaged_chunk_and_count_missing_photos(tmp_path: Path) -> None:
    store = create_cache(tmp_path, KEY)
    store.add([name(1)], rows([1]))
    with pytest.raises(UserError, match="1 of 2 photos are not embedded"):
        store.gather([name(1), name(2)], tmp_path / "gathered.part")
    chunk = tmp_path / "000000.npz"
    chunk.write_bytes(chunk.read_bytes()[:100])
    with pytest.raises(UserError, match=r"000000\.npz is damaged; delete it"):
        create_cache(tmp_path, KEY)


# Adds photos, drops half of them, and so on: killed at any moment, it adds, drops or repacks.
_ADDING = """
import sys
from hashlib import sha256
from pathlib import Path
import numpy as np
from panthera_vision.search.embedding.cache import CacheKey, create_cache
store = create_cache(Path(sys.argv[1]), CacheKey("a" * 64, "features"))
print("begun", flush=True)
while True:
    for wanted in (range(0, 700), range(0, 700, 2)):
        names = [sha256(str(number).encode()).hexdigest() for number in wanted]
        for at in store.missing(names):
            number = wanted[at]
            row = np.array([[number, number + 0.5, -number]], dtype=np.float32)
            store.add([names[at]], row)
        store.retain(names)
"""


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [40, 150, 400, 900])
def test_killed_run_leaves_only_complete_chunks(tmp_path: Path, milliseconds: int) -> None:
    before = create_cache(tmp_path, KEY)
    before.add([name(number) for number in range(300)], rows(list(range(300))))
    command = [sys.executable, "-c", _ADDING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(milliseconds / 1000)
        process.kill()
    again = create_cache(tmp_path, KEY)
    assert not list(tmp_path.glob("*.part"))
    lacking = set(again.missing([name(number) for number in range(700)]))
    there = [number for number in range(700) if number not in lacking]
    # Every second one is wanted by each of its steps.
    assert set(range(0, 300, 2)) <= set(there)
    gathered = again.gather([name(number) for number in there], tmp_path / "gathered.part")
    assert np.array_equal(gathered, rows(there))
