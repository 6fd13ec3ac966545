"""The stages that `benchmarks.scale` measures, each run in a process of its own."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.scale_collection import PHOTOS, SEED, TABLE, VECTORS
from panthera_vision.data.confident_learning import cross_validated_probabilities
from panthera_vision.data.credits import count_licenses, write_credits
from panthera_vision.data.photo_table import photo_paths
from panthera_vision.data.splits import SPLITS, assign_splits, observation_groups
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.label_errors import suspected_labels
from panthera_vision.evaluation.review_ranking import (
    LabeledFeatures,
    neighbor_probabilities,
    review_priority,
)
from panthera_vision.evaluation.subgroups import per_observer_accuracy
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.pretrained import PANTHERA, pretrained_model
from panthera_vision.search.embedding.duplicate_similarity import CLASSIFIER_SIMILARITY
from panthera_vision.search.embedding.whitening import Whitening
from panthera_vision.search.evaluation.data_quality import CurationFiles, write_curation
from panthera_vision.search.evaluation.evaluate import draw_rows, results_among
from panthera_vision.search.evaluation.metrics import summarize
from panthera_vision.search.evaluation.report import encounters
from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.search.index.backend import IndexContent, IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.choose_factory import choose_factory
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.photo_index import load_index
from panthera_vision.search.index.search_quality import measure_search
from panthera_vision.search.parameters import CurateParameters, MapParameters, RetrievalParameters
from panthera_vision.search.projection import project, write_map
from panthera_vision.search.results import results_csv
from panthera_vision.search.searcher import Searcher
from panthera_vision.training.dataset import load_training_data
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.sampling import shown_rows
from panthera_vision.ui.search.gallery import choose_example_rows
from panthera_vision.ui.search.map_view import map_table

_INDEX = "faiss_index"
_CLICKS = 20
_PRECISE = 0.99
Found = dict[str, float | str]


def _table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False)


def _splits(count: int) -> pd.Series:
    drawn = np.random.default_rng(SEED).choice(len(SPLITS), count, p=[0.7, 0.15, 0.15])
    return pd.Series(np.array(SPLITS)[drawn], name="split")


def start(folder: Path) -> Found:
    """Import what the stages import."""
    return {}


def photo_table(folder: Path) -> Found:
    """Check paths and write the credits of all photos."""
    table = _table(folder)
    photo_paths(table, folder, [folder])
    write_credits(table, folder / "CREDITS.csv")
    return {}


def index(folder: Path) -> Found:
    """Build the index: choice by measurement, vectors, near-duplicates, table."""
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    table = _table(folder)
    table["file"] = "../" + table["file"]
    model = pretrained_model()
    features = model.classifier.head.in_features
    # The vectors are drawn, so that no photo is whitened; queries need some whitening.
    whitening = Whitening(np.zeros(features, np.float32), np.eye(features, dtype=np.float32))
    spec = IndexSpec(CLASSIFIER_SIMILARITY)
    manifest = build_index(vectors, table, model, folder / _INDEX, spec, whitening)
    print(manifest.described(), file=sys.stderr)
    return {
        "near-duplicate groups": manifest.groups,
        "pairs of similar vectors": manifest.similar_pairs,
        "pairs of the same shot": manifest.same_shot_pairs,
        "pairs with an unreadable photo": manifest.unreadable_pairs,
    }


def load(folder: Path) -> Found:
    """Load the index as the app does at its start."""
    load_index(folder / _INDEX).prepare()
    return {}


def search(folder: Path) -> Found:
    """Search 200 times in one batch and 50 times one by one."""
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    quality = measure_search(load_index(folder / _INDEX).backend, vectors)
    return {
        "search: recall@10": quality.recall_at_10,
        "search: p50, ms": quality.p50_ms,
        "search: p95, ms": quality.p95_ms,
    }


def precise_search(folder: Path) -> Found:
    """Choose the index for a recall of 0.99, and search as above."""
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    chosen = choose_factory(vectors, _PRECISE, "faiss")
    spec = IndexSpec(CLASSIFIER_SIMILARITY, factory=chosen.factory, search=chosen.search)
    content = IndexContent(vectors, pd.DataFrame())
    backend = chosen.built or FaissBackend.build(content, spec, folder)
    quality = measure_search(backend, vectors)
    return {
        "for a recall of 0.99": f"{chosen.factory} {chosen.search}".strip(),
        "for a recall of 0.99: recall@10": quality.recall_at_10,
        "for a recall of 0.99: p50, ms": quality.p50_ms,
        "for a recall of 0.99: p95, ms": quality.p95_ms,
    }


def clicks(folder: Path) -> Found:
    """Do what a click in the app does, with and without filters and on the map."""
    loaded = load_index(folder / _INDEX)
    loaded.prepare()
    searcher = Searcher(Predictor(pretrained_model()), loaded)
    t, positions = Translator("search", "en"), np.zeros((len(loaded.table), 2))
    days = loaded.columns.days
    first = days[0] if days else None
    queries = loaded.backend.vectors_at(np.arange(_CLICKS))
    times: dict[str, list[float]] = {
        "click, ms": [],
        "click with filters, ms": [],
        "click on the map, ms": [],
    }
    choose_example_rows(loaded.table)
    for number, query in enumerate(queries):
        begin = time.perf_counter()
        found = searcher.search(query, 10)
        results_csv(loaded.table, found.groups)
        times["click, ms"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        # Another place each time: the rows of a repeated filter are kept.
        where = PhotoFilter(PANTHERA[:2], (), (), first, None, f"park {number}")
        searcher.search(query, 10, where=where)
        times["click with filters, ms"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        rows = shown_rows(len(loaded.table), [number])
        map_table(loaded.table.iloc[rows], positions[rows], None, t)
        times["click on the map, ms"].append(time.perf_counter() - begin)
    return {name: round(1000 * float(np.median(some)), 1) for name, some in times.items()}


def map_collection(folder: Path) -> Found:
    """Lay out the map."""
    loaded = load_index(folder / _INDEX)
    positions = project(
        loaded.backend.vectors_at, len(loaded.table), MapParameters.model_validate({})
    )
    write_map(loaded.table["id"], positions, folder / "map.csv")
    return {}


def evaluate(folder: Path) -> Found:
    """Evaluate among all and among held-out photos, without perturbed copies and sheets."""
    loaded = load_index(folder / _INDEX)
    parameters, random = RetrievalParameters.model_validate({}), np.random.default_rng(SEED)
    rows = np.arange(len(loaded.table))
    held_out = np.flatnonzero((_splits(len(rows)) == "test").to_numpy())
    groups = encounters(loaded.table)
    for allowed in (rows, held_out):
        queries = draw_rows(allowed, parameters.queries, random)
        results = results_among(loaded, queries, allowed)
        summarize(results.metrics, [groups[row] for row in queries])
    return {}


def curate(folder: Path) -> Found:
    """List near-duplicates across splits and disagreeing neighbors."""
    loaded = load_index(folder / _INDEX)
    paths = photo_paths(loaded.table, folder / _INDEX, [folder])
    files = CurationFiles(folder / "a.csv", folder / "b.csv", folder / "c.html")
    write_curation(loaded, paths, _splits(len(paths)), CurateParameters.model_validate({}), files)
    return {}


def intervals(folder: Path) -> Found:
    """Compute the classifier's bootstrap intervals and accuracy per observer."""
    table = _table(folder)
    right = pd.Series(np.random.default_rng(SEED).random(len(table)) < 0.9)
    values = right.to_numpy(dtype=float)
    groups = observation_groups(table, "observer_day")
    bootstrap_intervals(lambda rows: {"accuracy": float(values[rows].mean())}, list(groups))
    per_observer_accuracy(table, right)
    return {}


def splits(folder: Path) -> Found:
    """Divide the photos into splits, and load their table for training."""
    table = _table(folder)
    shares = {"validation_share": 0.15, "test_share": 0.15}
    table["split"] = assign_splits(table, **shares, group_by="observer_day", seed=SEED)
    load_training_data(table, folder, folder / PHOTOS)
    return {}


def review(folder: Path) -> Found:
    """Cross-validate, judge and rank all labels, given the features."""
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    table = _table(folder)
    table["split"] = "train"
    names = sorted(PANTHERA)
    features = pretrained_model().classifier.head.in_features
    photos = LabeledFeatures(
        np.ascontiguousarray(vectors[:, :features]),
        table["species"].map(names.index).to_numpy(dtype=int),
        list(observation_groups(table, "observer_day")),
        len(names),
    )
    probabilities = cross_validated_probabilities(
        photos.features,
        photos.labels,
        photos.groups,
        class_count=len(names),
        folds=5,
        seed=SEED,
    )
    priority = review_priority(photos, [probabilities, neighbor_probabilities(photos)])
    suspected_labels(table, probabilities, names, priority)
    return {}


def page_data(folder: Path) -> Found:
    """Prepare what the apps show of the table: filters, licenses."""
    FilterColumns(_table(folder))
    count_licenses(folder / "CREDITS.csv")
    return {}


_RUNS: dict[str, Callable[[Path], Found]] = {
    "start": start,
    "photo_table": photo_table,
    "index": index,
    "load": load,
    "search": search,
    "precise_search": precise_search,
    "clicks": clicks,
    "map_collection": map_collection,
    "evaluate": evaluate,
    "curate": curate,
    "intervals": intervals,
    "splits": splits,
    "review": review,
    "page_data": page_data,
}
STAGES = {name: (run.__doc__ or "").rstrip(".").lower() for name, run in _RUNS.items()}


def _peak_megabytes() -> float:
    """Return this process's peak memory; `ru_maxrss` would be the parent's, if that had more."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(stage: str, folder: Path) -> None:
    """Run a stage; print its CPU seconds, peak memory and what it measured, as JSON."""
    found = _RUNS[stage](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    costs = {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": _peak_megabytes()}
    print(json.dumps(costs | found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
