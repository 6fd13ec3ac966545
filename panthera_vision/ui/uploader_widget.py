"""Localize the upload boxes, and let them take images from the clipboard."""

import streamlit as st

from panthera_vision.images.kinds import KINDS
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES

_WORDS = ("browse", "browse_one", "allow_camera", "take_photo", "retake_photo", "file_refused")
# Streamlit has no translations: CSS hides its words and puts ours in their place. Screen readers
# read the replaced words, too, since they read `content`.
_STYLE = """
<style>
[data-testid="stFileUploaderDropzone"] > span button p,
[data-testid="stFileUploaderDropzoneInstructions"] span,
[data-testid="stCameraInputWebcamComponent"] p,
[data-testid="stCameraInputButton"] {{ font-size: 0 !important; }}
[data-testid="stFileUploaderDropzone"] > span button p::after {{
  content: "{browse}"; font-size: 1rem;
}}
[data-testid="stFileUploaderDropzone"]:has(input:not([multiple])) > span button p::after {{
  content: "{browse_one}";
}}
[data-testid="stFileUploaderDropzoneInstructions"] span {{
  white-space: normal; overflow: visible;
}}
[data-testid="stFileUploaderDropzoneInstructions"] span::after {{
  content: "{upload_limit}"; font-size: 0.875rem;
}}
[data-testid="stCameraInputWebcamComponent"] p::after {{
  content: "{allow_camera}"; font-size: 1rem;
}}
[data-testid="stCameraInputButton"]::after {{ content: "{take_photo}"; font-size: 1rem; }}
[data-testid="stCameraInput"]:has(img) [data-testid="stCameraInputButton"]::after {{
  content: "{retake_photo}";
}}
[data-testid="stFileChip"] [role="alert"],
[data-testid="stTooltipErrorContent"], [data-testid="stTooltipErrorContent"] * {{
  font-size: 0 !important;
}}
[data-testid="stFileChip"] [role="alert"]::after,
[data-testid="stTooltipErrorContent"]::after {{
  content: "{file_refused}"; font-size: 0.875rem;
}}
[data-testid="stFileUploader"]:has([aria-invalid="true"])::after {{
  content: "{why_refused}"; font-size: 0.875rem; display: block; padding-top: 0.5rem;
}}
</style>
"""
# Pasted images take the way of chosen files: through the box's own input.
_PASTE = """
<script>
(() => {
  if (window.pantheraPaste) document.removeEventListener("paste", window.pantheraPaste);
  window.pantheraPaste = (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter(
      (file) => file.type.startsWith("image/"));
    const input = document.querySelector('[data-testid="stFileUploaderDropzoneInput"]');
    if (!pictures.length || !input) return;
    const transfer = new DataTransfer();
    pictures.slice(0, input.multiple ? undefined : 1).forEach(
      (file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    event.preventDefault();
  };
  document.addEventListener("paste", window.pantheraPaste);
})();
</script>
"""


def localize_uploaders(t: Translator) -> None:
    """Translate all upload boxes of the page, and let them take pasted images."""
    megabytes = MAXIMUM_UPLOAD_BYTES // 1_000_000
    words = {key: t(key) for key in _WORDS}
    limits = {
        key: t(key, megabytes=megabytes, kinds=KINDS) for key in ("upload_limit", "why_refused")
    }
    st.html(_STYLE.format(**words, **limits))
    st.html(_PASTE, unsafe_allow_javascript=True)
