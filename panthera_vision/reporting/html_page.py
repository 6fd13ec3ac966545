"""Write thumbnails as a self-contained HTML page: images inline, no scripts, no external content.

Text from the tables is untrusted. It is escaped against HTML injection (XSS), a content security
policy blocks everything but inline images and styles, and only http(s) URLs become links.
"""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from panthera_vision.io.atomic import write_text
from panthera_vision.io.urls import is_web_address
from panthera_vision.reporting.palette import CORRECT, WRONG
from panthera_vision.reporting.thumbnails import Section, Thumbnail

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
li.correct {{ border-color: {correct}; }}
li.wrong {{ border-color: {wrong}; }}
img {{ display: block; width: 240px; max-width: 100%; height: 15rem; object-fit: contain; }}
small {{ color: #555; }}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}</body>
</html>
"""


def save_html_page(title: str, sections: Sequence[Section], path: Path) -> None:
    """Write sections of thumbnails as one HTML page; equal sections give equal bytes."""
    text = _PAGE.format(
        title=escape(title),
        correct=CORRECT.color,
        wrong=WRONG.color,
        sections="".join(_section(section) for section in sections),
    )
    write_text(path, text)


def _section(section: Section) -> str:
    heading = f"<h2>{escape(section.title)}</h2>\n"
    if not section.thumbnails:
        return f"{heading}<p>{escape(section.empty)}</p>\n"
    return f"{heading}<ul>\n{''.join(_item(item) for item in section.thumbnails)}</ul>\n"


def _item(item: Thumbnail) -> str:
    kind, sign = ("correct", CORRECT.sign) if item.is_correct else ("wrong", WRONG.sign)
    name = f"{item.species} → {item.predicted}"
    image = f'<img src="{_data_url(item)}" alt="{escape(name)}">'
    label = f"photo {_isolated(item.id)}"
    if is_web_address(item.observation_url):
        link = f'<a href="{escape(item.observation_url)}" rel="noopener noreferrer">'
        image = f"{link}{image}</a>"
        label = f"{link}observation {_isolated(item.id)}</a>"
    return (
        f'<li class="{kind}">{image}\n'
        f"{sign} <i>{escape(item.species)}</i> → <i>{escape(item.predicted)}</i>, "
        f"{escape(item.caption)}<br>\n{label}<br>\n"
        f"<small>observer: {_isolated(item.observer or 'unknown')}; "
        f"license: {_isolated(item.license or 'none')}; {_isolated(item.attribution)}"
        "</small></li>\n"
    )


def _isolated(text: str) -> str:
    """Escape untrusted text, and isolate its writing direction from the text around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _data_url(item: Thumbnail) -> str:
    buffer = io.BytesIO()
    Image.fromarray(item.pixels).save(buffer, format="JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
