"""Measure both tests on near-duplicates: similar vectors, and pixels of the same shot.

DATA needs folders of photos by species, such as panthera_photos/<Species>/. Whether a pair shows
the same shot, only a person can say: `--sheet` draws the pairs of the lowest band that pass.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from panthera_vision.cli.runner import run
from panthera_vision.images.aligned_correlation import (
    SAME_SHOT,
    SIDE,
    aligned_correlations,
    small_gray,
)
from panthera_vision.images.decoding import open_photo, read_photo
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import write_text
from panthera_vision.models.pretrained import pretrained_model
from panthera_vision.reporting.markdown import markdown_table
from panthera_vision.search.embedding.duplicate_similarity import CLASSIFIER_SIMILARITY
from panthera_vision.search.embedding.embedder import Embedder, combine_vectors
from panthera_vision.search.embedding.whitening import fit_whitening
from panthera_vision.search.perturbations import PERTURBATIONS, perturb
from panthera_vision.search.same_shot import confirm_pairs

FITTED = "panthera_photos"
PANTHERA = (FITTED, "second_source")
OTHERS = "other_felids"
COPIED = 300
SEED = 17
BANDS = ((0.725, 1.01), (0.65, 0.725), (0.6, 0.65), (0.55, 0.6), (0.5, 0.55), (0.45, 0.5))
_SHOWN = 60


def bands_of(vectors: np.ndarray, paths: Sequence[Path]) -> tuple[list[list[str]], np.ndarray]:
    """Count the pairs of each band of similarity, and those that pass.

    Returns:
        a row for each band; the pairs of the lowest band that pass (P, 2).
    """
    firsts, seconds = np.triu_indices(len(vectors), 1)
    similarities = (vectors @ vectors.T)[firsts, seconds]
    rows, passing = [], np.empty((0, 2), dtype=np.int64)
    for low, high in BANDS:
        inside = np.flatnonzero((similarities >= low) & (similarities < high))
        pairs = np.stack([firsts[inside], seconds[inside]], axis=1)
        passing = pairs[confirm_pairs(pairs, paths.__getitem__).same_shot]
        band = f"{low:g}–{high:g}" if high < 1 else f"from {low:g}"
        rows.append([band, f"{len(pairs):,}", f"{len(passing):,}"])
    return rows, passing


def copies_of(paths: Sequence[Path], embed: Callable[..., np.ndarray]) -> list[list[str]]:
    """Return a row for each perturbation: the shares of copies that pass either test, and both."""
    originals = embed([partial(open_photo, path) for path in paths])
    small = np.stack([small_gray(read_photo(path, SIDE)) for path in paths])
    rows = []
    for name in PERTURBATIONS:
        loads = [
            partial(lambda path, kind: perturb(open_photo(path), kind, path.name), path, name)
            for path in paths
        ]
        similarities = (embed(loads) * originals).sum(axis=1)
        copies = np.stack([small_gray(load()) for load in loads])
        same = aligned_correlations(small, copies) >= SAME_SHOT
        similar = similarities >= CLASSIFIER_SIMILARITY
        shares = (similarities >= BANDS[0][0], similar, same, similar & same)
        rows.append([name, *(f"{share.mean():.0%}" for share in shares)])
    return rows


def draw(pairs: np.ndarray, paths: Sequence[Path], file: Path) -> None:
    """Draw pairs of photos beside each other."""
    side, columns = 160, 5
    cell = 2 * side + 10
    shown = pairs[:_SHOWN]
    height = -(-len(shown) // columns) * (side + 20)
    sheet = Image.new("RGB", (columns * cell, max(height, side)), "white")
    for number, pair in enumerate(shown.tolist()):
        left, top = number % columns * cell, number // columns * (side + 20)
        for place, row in enumerate(pair):
            sheet.paste(open_photo(paths[row]).resize((side, side)), (left + place * side, top))
        names = " and ".join(paths[row].stem for row in pair)
        ImageDraw.Draw(sheet).text((left, top + side + 2), names, fill="black")
    sheet.save(file)


def main(arguments: argparse.Namespace) -> str:
    groups = {name: photos_below(arguments.data / name) for name in (*PANTHERA, OTHERS)}
    paths = [path for name in groups for path in groups[name]]
    predictor = Predictor(pretrained_model(), precision="fp32")
    outputs = predictor.outputs_of_files(paths, batch_size=32)
    features, logits = outputs.features.numpy(), outputs.logits.numpy()
    fitted = len(groups[FITTED])
    whitening = fit_whitening(
        features[:fitted], np.array([path.parent.name for path in paths[:fitted]])
    )
    vectors = combine_vectors(features, logits, whitening)
    embed = partial(Embedder(predictor, whitening).embeddings_of, batch_size=32, threads=2)
    panthera = len(paths) - len(groups[OTHERS])
    own, _ = bands_of(vectors[:panthera], paths)
    everything, passing = bands_of(vectors, paths)
    drawn = np.sort(np.random.default_rng(SEED).permutation(panthera)[:COPIED])
    copies = copies_of([paths[row] for row in drawn], embed)
    if arguments.sheet:
        draw(passing, paths, arguments.sheet)
    bands = [[*one, *all_[1:]] for one, all_ in zip(own, everything, strict=True)]
    write_text(arguments.out, page(bands, copies, panthera, len(paths)))
    return f"near_duplicates: {len(paths):,} photos, {len(drawn)} copied; {arguments.out}"


def page(bands: list[list[str]], copies: list[list[str]], panthera: int, count: int) -> str:
    """Return the Markdown page."""
    header = ["similarity", f"pairs, *Panthera* ({panthera:,} photos)", "same shot"]
    by_band = markdown_table([*header, f"pairs, all ({count:,} photos)", "same shot"], bands)
    tests = [f"similarity ≥ {BANDS[0][0]}", f"≥ {CLASSIFIER_SIMILARITY}", "same shot", "both"]
    return f"""# Near-duplicates: both tests

`python -m benchmarks.near_duplicates DATA benchmarks/near_duplicates.md`; vectors of the pretrained
Lite0, whitening fitted to {FITTED}. "Same shot": the aligned correlation of the pixels is at least
{SAME_SHOT}.

{by_band}

Perturbed copies of {COPIED} photos of *Panthera*, share that passes (cropped: to 70–90% of each
side; saved small: at half size; all at once: cropped, mirrored, darker or brighter, at half size):

{markdown_table(["copy", *tests], copies)}
"""


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data", type=Path, help="folder of panthera_photos, second_source, …")
parser.add_argument("out", type=Path, help="page to write")
parser.add_argument("--sheet", type=Path, help="picture to write: pairs of the lowest band")

if __name__ == "__main__":
    run(main, parser)
