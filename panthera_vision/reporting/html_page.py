"""A sheet of photos as a web page: one file with the thumbnails in it, which loads nothing.

The tables' words are strangers' words. They are shown as text, and an address becomes a link only
where it leads to the web.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image

from panthera_vision.io.atomic import write_text
from panthera_vision.io.urls import is_web_address
from panthera_vision.reporting.thumbnails import Thumbnail

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 sans-serif; margin: 1.5rem; color: #222; background: #fff; }}
ul {{ list-style: none; padding: 0; display: grid; gap: 1rem;
 grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); }}
li {{ padding: .5rem; border: 3px solid; overflow-wrap: anywhere; }}
li.right {{ border-color: #0072b2; }}
li.wrong {{ border-color: #d55e00; }}
img {{ display: block; width: 240px; max-width: 100%; height: 15rem; object-fit: contain; }}
small {{ color: #555; }}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}</body>
</html>
"""


@dataclass(frozen=True)
class Section:
    """One sheet of a page: `empty` is said where there are no tiles."""

    title: str
    tiles: Sequence[Thumbnail]
    empty: str


def save_html_page(title: str, sections: Sequence[Section], path: Path) -> None:
    """Write a page of several sheets, the same bytes for the same tiles."""
    text = "".join(_section(section) for section in sections)
    write_text(path, _PAGE.format(title=escape(title), sections=text))


def _section(section: Section) -> str:
    heading = f"<h2>{escape(section.title)}</h2>\n"
    if not section.tiles:
        return f"{heading}<p>{escape(section.empty)}</p>\n"
    return f"{heading}<ul>\n{''.join(_item(tile) for tile in section.tiles)}</ul>\n"


def _item(tile: Thumbnail) -> str:
    kind, sign = ("right", "✓") if tile.right else ("wrong", "✗")
    name = f"{tile.species} → {tile.predicted}"
    picture = f'<img src="{_as_address(tile)}" alt="{escape(name)}">'
    label = f"photo {_plain(tile.id)}"
    if is_web_address(tile.observation_url):
        address = escape(tile.observation_url)
        picture = f'<a href="{address}" rel="noopener noreferrer">{picture}</a>'
        label = f'<a href="{address}" rel="noopener noreferrer">observation {_plain(tile.id)}</a>'
    return (
        f'<li class="{kind}">{picture}\n'
        f"{sign} <i>{escape(tile.species)}</i> → <i>{escape(tile.predicted)}</i>, "
        f"{escape(tile.said)}<br>\n{label}<br>\n"
        f"<small>observer {_plain(tile.observer or 'unknown')}; "
        f"licence {_plain(tile.license or 'none')}; {_plain(tile.attribution)}</small></li>\n"
    )


def _plain(words: str) -> str:
    """Strangers' words as text, which cannot turn the direction of what is beside it."""
    return f"<bdi>{escape(words)}</bdi>"


def _as_address(tile: Thumbnail) -> str:
    buffer = io.BytesIO()
    Image.fromarray(tile.thumbnail).save(buffer, format="JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
