"""Process-wide settings: malloc thresholds, threads of PyTorch, warnings of Pillow."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of mallopt(3)


def configure_process(*, num_threads: int | None = None) -> None:
    """Set what holds for the whole process; call it first in a command, an app or a service.

    Importing the package changes none of it, so a program that embeds the package keeps its own.

    Args:
        num_threads: of PyTorch within one operation; None for its default, one a core.
    """
    from panthera_vision.images.decoding import ignore_pillow_warnings

    ignore_pillow_warnings()
    keep_freed_memory()
    if num_threads is not None:
        import torch

        torch.set_num_threads(num_threads)


def keep_freed_memory() -> bool:
    """Set mallopt so that glibc keeps large freed blocks; return whether it accepted.

    A network allocates and frees its activations at every step. By default glibc maps each anew
    with mmap, and the page faults cost more than many a convolution: training steps of
    EfficientNet-Lite0 at 224 px, 32 photos, 2 cores, took 1.5 times as long.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 << 20))
    accepted = [mallopt(setting, value) for setting, value in settings]
    return all(accepted)
