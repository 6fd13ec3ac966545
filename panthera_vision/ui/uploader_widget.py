"""What the upload box lacks: words in the page's language, and photos from the clipboard."""

from typing import Any

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import text
from panthera_vision.ui.i18n.shared import SHARED

_WORDS = ("browse", "browse_one", "allow_camera", "take_photo", "retake_photo", "file_refused")
# Streamlit has no translations: its own words are hidden and others put in their place. Screen
# readers get the replaced words too, as `content` is read out.
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
  content: "{limit}"; font-size: 0.875rem;
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
# Pasted pictures go the way of chosen files: through the box's own input.
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


def dress_uploader(page: Any, language: Language, megabytes: int) -> None:
    """Give all upload boxes of the page words in its language, and take pasted pictures.

    Args:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        language: of the page.
        megabytes: the most that one file may have.
    """
    style = _STYLE.format(
        limit=text(SHARED, language, "upload_limit", megabytes=megabytes),
        why_refused=text(SHARED, language, "why_refused", megabytes=megabytes),
        **{key: text(SHARED, language, key) for key in _WORDS},
    )
    page.html(style)
    page.html(_PASTE, unsafe_allow_javascript=True)
