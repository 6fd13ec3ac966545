"""Visit a Streamlit app over its websocket, as its page in a browser does, without a browser.

The page's protocol: a script run is asked for by a `BackMsg`, and its elements come back as
`ForwardMsg`s until the script has finished; files are uploaded by PUT; pictures are fetched by GET.
"""

import asyncio
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from panthera_vision.errors import UserError

_XSRF_COOKIE = "_streamlit_xsrf"
_TIMEOUT = 120  # seconds
_END = "script_finished"


@dataclass
class Shown:
    """Hold what a script run showed.

    Attributes:
        texts: of headings, markdown and captions.
        pictures: addresses of images.
        uploader: id of the widget that takes a photo.
    """

    texts: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    uploader: str = ""


class Visitor:
    """Hold one visitor's session with an app at `address`; to be used with `async with`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session_id = ""
        self.script = ""
        self._requests = itertools.count()

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address
        self._client = aiohttp.ClientSession(self.address, cookie_jar=jar)
        async with self._client.get("/_stcore/health") as answer:
            await answer.read()
        self._socket = await self._client.ws_connect(
            "/_stcore/stream", protocols=["streamlit"], max_msg_size=0
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._socket.close()
        await self._client.close()

    async def open(self) -> Shown:
        """Run the script for the first time."""
        return await self._run(BackMsg())

    async def upload(self, photo: Path, uploader: str) -> Shown:
        """Upload a photo, run the script with it, and fetch the pictures that it shows.

        Raises:
            UserError: the app refuses the photo, or its script fails.
        """
        content = photo.read_bytes()
        request = BackMsg()
        request.file_urls_request.request_id = str(next(self._requests))
        request.file_urls_request.file_names.append(photo.name)
        request.file_urls_request.session_id = self.session_id
        await self._socket.send_bytes(request.SerializeToString())
        (urls,) = (await self._next("file_urls_response")).file_urls_response.file_urls
        form = aiohttp.FormData()
        form.add_field("file", content, filename=photo.name, content_type="image/jpeg")
        token = {cookie.key: cookie.value for cookie in self._client.cookie_jar}.get(
            _XSRF_COOKIE, ""
        )
        address = f"/{urls.upload_url.lstrip('/')}"
        async with self._client.put(address, data=form, headers={"X-Xsrftoken": token}) as answer:
            if answer.status >= 300:
                raise UserError(f"{photo}: {address} answers {answer.status}")
        run = BackMsg()
        widget = run.rerun_script.widget_states.widgets.add(id=uploader)
        info = UploadedFileInfo(name=photo.name, size=len(content), file_id=urls.file_id)
        info.file_urls.CopyFrom(urls)
        widget.file_uploader_state_value.uploaded_file_info.append(info)
        shown = await self._run(run)
        await asyncio.gather(*map(self._fetch, set(shown.pictures)))
        return shown

    async def _fetch(self, address: str) -> None:
        async with self._client.get(address) as answer:
            await answer.read()

    async def _run(self, request: BackMsg) -> Shown:
        request.rerun_script.query_string = "lang=en"
        request.rerun_script.page_script_hash = self.script
        await self._socket.send_bytes(request.SerializeToString())
        shown = Shown()
        while True:
            message = await self._next()
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session_id = message.new_session.initialize.session_id or self.session_id
                self.script = message.new_session.page_script_hash
            elif kind == "delta":
                _note(message, shown)
            # An early end makes way for another run of the same request.
            elif kind == _END and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return shown

    async def _next(self, wanted: str = "") -> ForwardMsg:
        while True:
            frame = await asyncio.wait_for(self._socket.receive(), _TIMEOUT)
            if frame.type is not aiohttp.WSMsgType.BINARY:
                raise UserError(f"{self.address} closed the connection")
            message: ForwardMsg = ForwardMsg.FromString(frame.data)
            if not wanted or message.WhichOneof("type") == wanted:
                return message


def _note(message: ForwardMsg, shown: Shown) -> None:
    """Take down an element."""
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    if kind == "exception":
        raise UserError(f"the app fails: {element.exception.message}")
    if kind == "file_uploader":
        shown.uploader = shown.uploader or element.file_uploader.id
    elif kind == "imgs":
        shown.pictures += [image.url for image in element.imgs.imgs]
    elif kind in ("heading", "markdown"):
        shown.texts.append(getattr(element, kind).body)
