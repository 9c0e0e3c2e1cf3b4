"""The pages are held to the program: whatever they name is there, and whatever must be named is."""

from __future__ import annotations

import ast
import configparser
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, create_engine, inspect

from jobs import charge_d1, notify_d2, reset_pg
from lib import command
from lib.billing.words import BLOCKED, COUNT, MATTER
from lib.settings import Policy, Settings
from lib.store import SQL, read_statements

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.ko.md")
CONTRACT, OPERATIONS, DECISIONS = "docs/shop-contract.md", "docs/operations.ko.md", "docs/decisions.md"
PAGES = (
    *READMES,
    "CHANGELOG.md",
    CONTRACT,
    OPERATIONS,
    DECISIONS,
    "docs/architecture.md",
    "docs/rules.ko.md",
)
COUNTS = {*notify_d2.COUNTS, *charge_d1.COUNTS, *reset_pg.COUNTS, "credits_left", "credits_needed"}
BEFORE = re.compile(r"=|\.lock$|^(env|&&|\|\|)$")  # what may stand before a command
JOB_LINE = re.compile(r"(notify_d2|charge_d1|reset_pg) [0-9]")
ENDS = ("|", "||", "&&", ";", ">", ">>", "2>&1")


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, kind: str = r"\w*") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells, without their marks, of the table that begins with a heading cell."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, heading
    return [[cell.strip().strip("`") for cell in row.split("|")[1:-1]] for row in table[1].splitlines()]


def first_cells(text: str, heading: str) -> list[str]:
    return [cells[0] for cells in rows(text, heading)]


def sections(text: str) -> dict[str, str]:
    """Return what stands under each heading that is one word of code."""
    parts = re.split(r"^### `(\w+)`$", text, flags=re.MULTILINE)
    return {name: re.split(r"^##", body, maxsplit=1, flags=re.MULTILINE)[0] for name, body in pairs(parts)}


def pairs(parts: list[str]) -> Iterator[tuple[str, str]]:
    return zip(parts[1::2], parts[2::2], strict=True)


@cache
def program(name: str) -> click.Command:
    """Return an installed command by the name that setup.cfg gives it."""
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    scripts = dict(
        line.split(" = ") for line in metadata["options.entry_points"]["console_scripts"].strip().splitlines()
    )
    module, _, function = scripts[name].partition(":")
    found: click.Command = getattr(importlib.import_module(module), function)
    return found


PROGRAMS = ("notify-d2", "charge-d1", "reset-pg", "jeonggi")


def spoken(line: str) -> Iterator[list[str]]:
    """Yield the calls of our commands in a line of code, each with its arguments."""
    words = shlex.split(line, comments=True)
    for place, word in enumerate(words):
        if Path(word).name in PROGRAMS and (place == 0 or BEFORE.search(words[place - 1])):
            rest = words[place + 1 :]
            stop = next((at for at, each in enumerate(rest) if each in ENDS), len(rest))
            yield [Path(word).name, *rest[:stop]]


def faults(call: list[str]) -> Iterator[str]:
    """Say which part of a call no command knows."""
    found, words = program(call[0]), call[1:]
    if isinstance(found, click.Group) and words and not words[0].startswith("-"):
        if words[0] not in found.commands:
            yield f"{call[0]} {words[0]}"
            return
        found = found.commands[words[0]]
    known = {"--help", *(option for each in found.params for option in each.opts)}
    yield from (f"{call[0]} {word}" for word in words if word.startswith("-") and word not in known)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_that_a_page_names_exists(name: str) -> None:
    typed = re.findall(r"^\$ (.+)", "".join(blocks(page(name))), re.MULTILINE)
    code = "".join(blocks(page(name), "sh")).splitlines() + typed + spans(page(name))
    lines = [line for line in code if any(each in line for each in PROGRAMS)]
    assert [fault for line in lines for call in spoken(line) for fault in faults(call)] == []


@pytest.mark.parametrize("name", PROGRAMS[:3])
def test_the_manual_names_every_option_of_a_job(name: str) -> None:
    options = {max(each.opts, key=len) for each in program(name).params}
    assert {option for option in options if option not in page(OPERATIONS)} == set()


def test_the_manual_names_every_command_of_the_operators() -> None:
    group = program("jeonggi")
    assert isinstance(group, click.Group)
    assert {each for each in group.commands if f"jeonggi {each}" not in page(OPERATIONS)} <= {"demo"}


@pytest.mark.parametrize("name", [*READMES, OPERATIONS])
def test_a_page_tells_every_exit_code(name: str) -> None:
    heading = "exit" if name == "README.md" else "코드"
    assert [int(cell) for cell in first_cells(page(name), heading)] == sorted(
        {*command.MEANINGS, command.USAGE}
    )


def test_the_manual_tells_what_to_do_about_every_kind_of_matter() -> None:
    modules = [*(ROOT / "lib").rglob("*.py"), *(ROOT / "jobs").glob("*.py")]
    opened = {kind for path in modules if "sandbox" not in path.parts for kind in matter_kinds(path)}
    assert set(first_cells(page(OPERATIONS), "종류")) == opened


def matter_kinds(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and any(names_matters_open(each) for each in (node.func, *node.args)):
            named = [each.value for each in node.keywords if each.arg == "kind"]
            yield literal((named or node.args[2:3])[0], path)


def literal(node: ast.expr, path: Path) -> str:
    """Return what an argument says; a name is one of its module's constants."""
    if isinstance(node, ast.Name):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        return str(getattr(importlib.import_module(module.removesuffix(".__init__")), node.id))
    assert isinstance(node, ast.Constant), f"{path.name}:{node.lineno}"
    return str(node.value)


def names_matters_open(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node).endswith("matters.open")


def test_the_manual_tells_the_way_out_of_every_blocked_round() -> None:
    tree = ast.parse((ROOT / "lib/billing/rounds.py").read_text(encoding="utf-8"))
    deciders = {"card_fault", "pg_fault", "blocked_reason"}
    reasons = {
        node.value
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.name in deciders
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and re.fullmatch("[a-z_]+", str(node.value))
    }
    assert set(first_cells(page(OPERATIONS), "사유")) == {BLOCKED[str(each)] for each in reasons}


def test_the_manual_explains_every_count_of_a_summary_under_its_label() -> None:
    explained = {name: label for label, name, _ in rows(page(OPERATIONS), "표시")}
    assert explained == {name: COUNT[name] for name in COUNTS}


def test_the_manual_calls_a_kind_of_matter_as_a_job_does() -> None:
    called = {kind: label for kind, label, *_ in rows(page(OPERATIONS), "종류")}
    assert called == {kind: MATTER[kind] for kind in called}


@pytest.mark.parametrize("name", [*READMES, OPERATIONS])
def test_a_summary_line_on_a_page_is_one_that_a_job_can_print(name: str) -> None:
    printed = [line for block in blocks(page(name)) for line in block.splitlines() if JOB_LINE.match(line)]
    labels = "|".join(sorted(map(re.escape, COUNT.values()), key=len, reverse=True))
    one = rf"(?:{labels})(?:\((?:{labels})\))? [\d,]+원?"
    line = re.compile(rf"\w+ [\d-]+ [\d:]+ (?:{one}(?: {one})*|할 일 없음) [\d.]+초 · (.+)")
    ends = {found[1] if (found := line.fullmatch(each)) else each for each in printed}
    assert ends <= set(map(command.last_line, command.MEANINGS))
    assert printed


@pytest.mark.parametrize("block", [each for name in PAGES for each in blocks(page(name), "toml")])
def test_every_configuration_on_a_page_is_accepted(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r'"env:(\w+)"', block):
        monkeypatch.setenv(name, "secret")
    Settings.model_validate(tomllib.loads(block))


def full_example() -> dict[str, Any]:
    block = re.search(r"<!-- every key -->\n```toml\n(.*?)^```", page(OPERATIONS), re.MULTILINE | re.DOTALL)
    assert block
    return tomllib.loads(block[1])


def section_of(annotation: object) -> type[BaseModel] | None:
    classes = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    return next((each for each in classes if issubclass(each, BaseModel)), None)


def missing_keys(section: type[BaseModel], table: dict[str, Any], name: str = "") -> Iterator[str]:
    for key, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if key not in table:
            yield f"{name}{key}"
        elif inner:
            yield from missing_keys(inner, table[key], f"{name}{key}.")


def test_every_key_of_the_configuration_is_in_the_full_example() -> None:
    assert list(missing_keys(Settings, full_example())) == []


def test_the_full_example_shows_the_rules_as_they_are_without_a_word() -> None:
    assert Policy.model_validate(full_example()["policy"]) == Policy()


def test_every_column_of_the_contract_is_on_its_page_and_no_other(sqlite_template: Path) -> None:
    engine = create_engine(f"sqlite:///{sqlite_template}")
    made = {view: {each["name"] for each in inspect(engine).get_columns(view)} for view in views(engine)}
    engine.dispose()
    told = {
        name: set(first_cells(body, "column"))
        for name, body in sections(page(CONTRACT)).items()
        if name in made
    }
    assert told == made


def views(engine: Engine) -> list[str]:
    names: list[str] = inspect(engine).get_view_names()
    return names


def test_every_write_statement_is_on_its_page_with_its_parameters() -> None:
    written = {
        name: set(re.findall(r":(\w+)", each.sql))
        for name, each in read_statements(SQL / "shops/standard/writes.sql").items()
    }
    told = {
        name: set(re.findall(r"`(\w+)`", body.partition("Parameters:")[2].partition("\n\n")[0]))
        for name, body in sections(page(CONTRACT)).items()
        if "Parameters:" in body
    }
    assert told == written
    assert set(first_cells(page(CONTRACT), "parameter")) == set().union(*written.values())


@pytest.mark.parametrize("name", PAGES)
def test_every_file_and_link_on_a_page_leads_somewhere(name: str) -> None:
    text, here = page(name), (ROOT / name).parent
    named = [
        each.rstrip("/")
        for each in spans(text)
        if re.fullmatch(r"(lib|jobs|sql|tests|docs|bench)/[\w./-]*", each)
    ]
    links = list(re.findall(r"\]\(([^)#:]+)\)", text))
    anchors = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert [each for each in named if not (ROOT / each).exists()] == []
    assert [each for each in links if not (here / each).exists()] == []
    assert [each for each in re.findall(r"\]\(#([^)]+)\)", text) if each not in anchors] == []


def test_the_two_readmes_show_the_same_commands_and_output() -> None:
    english, korean = (blocks(page(name)) for name in READMES)
    assert english == korean


def test_every_decision_is_dated_and_three_lines_long() -> None:
    parts = re.split(r"^## (.+)$", page(DECISIONS), flags=re.MULTILINE)
    for title, body in pairs(parts):
        assert re.match(r"\d{4}-\d\d-\d\d · \S", title)
        assert len(body.strip().splitlines()) == 3, title


def test_the_newest_change_is_that_of_this_version() -> None:
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    newest = re.search(r"^## (\S+)", page("CHANGELOG.md"), re.MULTILINE)
    assert newest
    assert newest[1] == metadata["metadata"]["version"]
