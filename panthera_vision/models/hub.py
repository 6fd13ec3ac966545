"""Fetch files of the Hugging Face hub once; afterwards they come from its cache, offline."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError

from panthera_vision.errors import UserError

_TIMEOUT_SECONDS = 10


def hub_file(repository: str, file_names: Sequence[str], instead: str) -> Path:
    """Return the first of `file_names` that a repository of the hub has, downloaded if need be.

    Args:
        repository: "owner/name", or "owner/name@revision".
        file_names: in the order in which they are looked for.
        instead: ends the error's sentence "Connect once, or …".

    Raises:
        UserError: the hub can't be reached, or has none of the files.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    name, _, revision = repository.partition("@")
    for file_name in file_names:
        cached = try_to_load_from_cache(name, file_name, revision=revision or None)
        if isinstance(cached, str):
            return Path(cached)
    address = f"{ENDPOINT}/{name}"
    try:
        _require_connection(ENDPOINT)  # the hub's own client tries for a minute
        for file_name in file_names:
            try:
                return Path(hf_hub_download(name, file_name, revision=revision or None))
            except LocalEntryNotFoundError:
                raise
            except EntryNotFoundError:
                continue
        problem = f"it has no {' or '.join(file_names)}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or (str(error).splitlines() or [""])[0]
        problem = str(reason) or type(error).__name__
    raise UserError(
        f"{address} can't be read ({problem[:200]}). Connect once, or {instead}"
    ) from None


def _require_connection(address: str) -> None:
    """Raise URLError where nothing answers at `address`."""
    try:
        urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS).close()
    except HTTPError:
        return  # an answer, if not a friendly one
    except TimeoutError as error:
        raise URLError("no answer") from error
