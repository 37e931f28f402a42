"""The pages: what they link to is there, what they tell you to type is understood, and 2015.md tells the truth."""

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from lsd_repro import __version__, program2015
from lsd_repro.cli import main
from lsd_repro.film.schedule import parse_classes
from lsd_repro.network import ilsvrc

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")),
         *sorted(DOCS.glob("*.md"))]
EXAMPLES = sorted(DOCS.glob("adding-*.md"))

each_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])

INCLUDED = {"network.md": "data/README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
# A program that a page tells you to run.
PROGRAM = re.compile(r"^(?:\.venv/bin/)?lsd-repro (.+)", re.M)


@cache
def text(page):
    return page.read_text("utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.S | re.M)


def prose(page):
    return re.sub(r"^```.*?^```$", "", text(page), flags=re.S | re.M)


def anchors(page):
    """What GitHub and Sphinx call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        # Where GitHub shows it; of the built pages Sphinx checks the same links, as docs/conf.py turns them.
        assert not anchor or anchor in anchors(file), target
        assert file.name not in INCLUDED or not anchor, f"{target}: GitHub does not include {INCLUDED[file.name]} there"


@each_page
def test_commands_are_understood(page):
    parser = main.parser()
    for block in blocks(page, ""):
        for line in PROGRAM.findall(block):
            arguments = shlex.split(line, comments=True)
            try:
                understood = parser.parse_args(arguments)
            except SystemExit:
                pytest.fail(f"lsd-repro {line}")
            parse_classes(getattr(understood, "classes", None) or [], ilsvrc.read()[1])


@each_page
def test_named_commands_and_targets_exist(page):
    help_text = main.parser().format_help()
    for command in re.findall(r"`(?:\.venv/bin/)?lsd-repro ([a-z]+)", prose(page)):
        assert re.search(rf"^    {command}\b", help_text, re.M), command
    code = " ".join(re.findall(r"`(make [a-z -]+)`", prose(page)))
    typed = [line for block in blocks(page, "") for line in block.splitlines() if line.startswith("make ")]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"make ([a-z-]+)", "\n".join([code, *typed])):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for module in re.findall(r"python -m (lsd_repro[\w.]*)", text(page)):
        assert importlib.util.find_spec(module), module


@each_page
def test_python_is_python(page):
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("lsd_repro"):
                for alias in node.names:
                    assert exists(node.module, alias.name), f"{node.module}.{alias.name}"


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES, ids=[page.stem for page in EXAMPLES])
def test_examples_run(page, python):
    done = python("\n".join(blocks(page, "python")))
    assert done.returncode == 0, done.stderr
    printed, = blocks(page, "text")
    # The words, and not numbers, which are the machine's.
    assert re.sub(r"[-\d.]+", "#", done.stdout).strip() == re.sub(r"[-\d.]+", "#", printed).strip()


@pytest.mark.slow
def test_pages_build_without_a_warning(tmp_path):
    pytest.importorskip("myst_nb", reason="pip install 'lsd_repro[docs]' brings Sphinx")
    subprocess.run([sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", DOCS, tmp_path], check=True)


def test_citation_is_of_this_version():
    # Valid by cffconvert --validate, which is not asked for here.
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M).group(1) == __version__
    assert f"## {__version__}" in text(ROOT / "CHANGELOG.md")


# What 2015.md says.

QUIRKS = text(DOCS / "2015.md").split("\n## Settings that did nothing")[0]
SECTIONS = dict(section.split("\n", 1) for section in re.split(r"^### ", QUIRKS, flags=re.M)[1:])
# The next heading of a higher level ends a section, too.
SECTIONS = {name: body.split("\n## ")[0] for name, body in SECTIONS.items()}
TAG = "2015 quirk: "

each_quirk = pytest.mark.parametrize("name", SECTIONS)


@cache
def parsed(path):
    return ast.parse(path.read_text("utf-8"))


def definition(path, qualified):
    """The function, class or method of a file; None if there is none of that name."""
    node = parsed(path)
    for part in qualified.split("."):
        node = next((child for child in node.body if getattr(child, "name", None) == part), None)
        if node is None:
            return None
    return node


def exists(module, name):
    """Whether a module of ours has a name, without importing it."""
    path = ROOT / module.replace(".", "/")
    if path.is_dir():
        return (path / f"{name}.py").exists() or (path / name).is_dir()
    path = path.with_suffix(".py")
    assigned = {target.id for node in parsed(path).body if isinstance(node, ast.Assign)
                for target in ast.walk(node) if isinstance(target, ast.Name)}
    # Theano's names are made on first use.
    return bool(definition(path, name)) or name in assigned or f'"{name}"' in path.read_text("utf-8")


def listed(name, what):
    found = re.search(rf"^\* {what}: (.+)$", SECTIONS[name], re.M)
    return re.findall(r"`([^`]+)`", found.group(1)) if found else []


def test_quirks_are_many():
    assert len(SECTIONS) > 40


@each_quirk
def test_the_quirk_lives_where_the_page_says(name):
    status = re.search(r"^\* (Kept|Mended|Left out)", SECTIONS[name], re.M)
    assert status
    places = listed(name, "Here")
    assert bool(places) == (status.group(1) != "Left out")
    for place in places:
        module, qualified = place.split(":")
        found = definition(ROOT / (module.replace(".", "/") + ".py"), qualified)
        assert found is not None, place
        tag = f"{TAG}{name}".lower()
        assert tag in (ast.get_docstring(found) or "").lower(), f"{place} lacks the tag '{tag}'"


@each_quirk
def test_the_quirk_has_its_test(name):
    tests = listed(name, "Test")
    assert bool(tests) == bool(listed(name, "Here"))
    for test in tests:
        file, function = test.split("::")
        assert definition(ROOT / file, function) is not None, test


def test_every_tag_is_of_a_quirk_that_the_page_describes():
    tags = [(path, tag) for path in (ROOT / "lsd_repro").rglob("*.py")
            for tag in re.findall(rf"{TAG}(?=(.+))", path.read_text("utf-8"))]
    assert len(tags) > 40
    for path, tag in tags:
        assert any(tag.lower().startswith(name.lower()) for name in SECTIONS), f"{path}: {tag}"


def test_lines_of_2015_are_those_of_one_commit():
    page = text(DOCS / "2015.md")
    links = re.findall(r"\[([\w./]+)(?:, lines? ([\d-]+))?\]"
                       r"\(https://github.com/317070/[\w-]+/blob/(\w{40})/([\w./]+)(#[\w-]+)?\)", page)
    assert len(links) == page.count("/blob/") > 60
    assert len({commit for _, _, commit, _, _ in links}) == 1
    for shown, lines, _, file, anchor in links:
        assert shown == file
        assert anchor == (f"#L{lines}".replace("-", "-L") if lines else "")


def test_every_constant_has_its_origin():
    rows = text(DOCS / "2015.md").split("## Constants")[1]
    described = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in rows.splitlines() if line.startswith("| `"))))
    constants = {name for name in vars(program2015) if name.isupper()}
    assert described == constants | {field.name for field in fields(program2015.Program)}
