"""The pages in docs/ and benchmarks/ name files, settings and API fields that exist."""

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
PIPELINES = ("cv-classification-dvc-pipeline", "image-search-dvc-pipeline")
READMES = (REPOSITORY / "README.md", REPOSITORY / "README.ru.md")
PAGES = sorted(
    [*READMES, *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "benchmarks").glob("*.md")]
)


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_named_in_code_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\b((?:src|panthera_vision|tests|benchmarks)/[\w/]+\.\w+)", text):
        roots = PIPELINES if name.startswith("src/") else (".",)
        assert any((REPOSITORY / root / name).exists() for root in roots), name
    for module in re.findall(r"python -m ((?:benchmarks|tests)[\w.]+)", text):
        path = REPOSITORY / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or path.is_dir(), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_named_in_code_are_in_a_params_yaml(page: Path) -> None:
    settings = [
        yaml.safe_load((REPOSITORY / pipeline / "params.yaml").read_text(encoding="utf-8"))
        for pipeline in PIPELINES
    ]
    sections = {section for each in settings for section in each}
    text = page.read_text(encoding="utf-8")
    for section, key in re.findall(r"`(\w+)\.(\w+)[^`]*`", text):
        if section in sections and key not in ("json", "md", "py"):
            assert any(key in each.get(section, {}) for each in settings), f"{section}.{key}"


def test_both_readmes_have_the_same_sections_commands_and_links() -> None:
    english, russian = (page.read_text(encoding="utf-8") for page in READMES)
    assert len(english.split()) <= 1600
    commands = []
    for text in (english, russian):
        blocks = re.findall(r"```(?:sh|python)\n(.*?)```", text, re.DOTALL)
        commands.append([re.sub(r" *#.*", "", block) for block in blocks])
    assert commands[0] == commands[1]
    assert english.count("\n## ") == russian.count("\n## ")
    links = [
        set(re.findall(r"\]\(((?:docs|bench)[^)#]*\.md)", text)) for text in (english, russian)
    ]
    assert links[0] == links[1]


def test_the_service_page_names_every_field_of_the_api() -> None:
    from panthera_vision.serving.app import create_app
    from panthera_vision.serving.settings import ServiceSettings

    text = (REPOSITORY / "docs" / "service.md").read_text(encoding="utf-8")
    description = create_app(ServiceSettings(model=Path("model"), index=Path("index"))).openapi()
    fields = {
        field
        for name, schema in description["components"]["schemas"].items()
        if "Validation" not in name
        for field in schema.get("properties", {})
    }
    assert len(fields) > 30
    assert {field for field in fields if f"`{field}`" not in text} == set()
    assert {path for path in description["paths"] if path not in text} == set()
