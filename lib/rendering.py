"""How a message is worded: facts in, subject, text and HTML out.

A template is `<kind>/<recipient>.txt` (its first line is the subject of the mail), `<kind>/<recipient>.html`
or `<kind>/<recipient>.sms.txt`. A shop's own folder overrides the built-in ones file by file.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from jinja2.meta import find_referenced_templates
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from lib.billing import texts
from lib.facts import MESSAGES, Channel, Kind, Recipient

BUILT_IN = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Rendered:
    """The words of a message. An SMS has only a body, in characters that every carrier takes."""

    subject: str
    body: str
    html: str


class TemplateError(Exception):
    """A template cannot be used; the text names file, line and remedy."""


class Renderer:
    """All templates, each compiled once; safe to use from several threads."""

    def __init__(self, templates: Path | None) -> None:
        """Check the templates of the shop's own folder, and all that they work with; raise TemplateError."""
        if not templates:
            self._environment = _built_in()
            return
        if not templates.is_dir():
            raise TemplateError(f"{templates}: 폴더가 없습니다. 만들거나 paths.templates 를 비우세요")
        folders = [templates, BUILT_IN]
        self._environment = _environment(folders)
        _compile_all(self._environment, folders)

    def render(
        self, kind: Kind, recipient: Recipient, channel: Channel, facts: Mapping[str, object]
    ) -> Rendered:
        """Write one message of MESSAGES; `facts` are the fields of the kind's dataclass: `vars(facts)`.

        Raises TemplateError where a template uses an unknown name or fails in another way.
        """
        if channel == "sms":
            return Rendered("", self._sms(f"{kind}/{recipient}.sms.txt", facts), "")
        name = f"{kind}/{recipient}.txt"
        subject, _, body = self._fill(name, facts).lstrip().partition("\n")
        if not texts.clean(subject):
            raise TemplateError(f"{name}: 비어 있습니다. 첫 줄에 메일 제목을 적으세요")
        html = self._fill(f"{kind}/{recipient}.html", facts)
        return Rendered(texts.clean(subject), body.strip() + "\n", html.strip() + "\n")

    def _sms(self, name: str, facts: Mapping[str, object]) -> str:
        """Write an SMS that a provider takes: neither empty nor longer than an LMS may be."""
        text = texts.sms_text(self._fill(name, facts).strip())
        if not text.strip():
            raise TemplateError(f"{name}: 비어 있습니다. 문자 내용을 적으세요")
        if texts.sms_bytes(text) > texts.LMS_BYTES_MAX:
            raise TemplateError(f"{name}: 문자가 {texts.LMS_BYTES_MAX:,}바이트를 넘습니다. 줄이세요")
        return text

    def _fill(self, name: str, facts: Mapping[str, object]) -> str:
        template = self._environment.get_template(name)
        try:
            return template.render(facts)
        except jinja2.TemplateError as error:
            said = f"{error.message} - 이름을 고치거나 그 줄을 지우세요"
            raise TemplateError(f"{_place(error, template)}: {said}") from None
        except Exception as error:  # noqa: BLE001 a shop's own template may fail in any way at all
            # Only the class is named: the error's own words may quote a customer's value.
            said = f"값을 채우지 못했습니다({type(error).__name__}). 그 줄을 고치세요"
            raise TemplateError(f"{_place(error, template)}: {said}") from None


@cache
def _built_in() -> SandboxedEnvironment:
    """Return the built-in templates, each compiled when first used: a run without messages compiles none."""
    return _environment([BUILT_IN])


def _environment(folders: list[Path]) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(folder, encoding="utf-8-sig") for folder in folders]
        ),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        finalize=_one_line,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters.update(
        won=texts.won, korean_date=texts.korean_date, short_date=texts.short_date, phone=_phone
    )
    return environment


def _one_line(value: object) -> object:
    """Keep the line breaks and invisible characters of a value out of every message."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value  # printable has neither; asking first makes a mail twice as fast
    return texts.clean(value)


def _phone(digits: str) -> str:
    """Group a sender number for reading: 02-1234-5678, 1588-1234; anything else stays as it is."""
    found = re.fullmatch(r"(02|050\d|0\d\d)?(\d{3,4})(\d{4})", digits)
    return "-".join(filter(None, found.groups())) if found else digits


def _compile_all(environment: SandboxedEnvironment, folders: list[Path]) -> None:
    known = {name for folder in folders for name in _names(folder)}
    used = {name for message in MESSAGES for name in _files(*message)}
    for name in sorted(known):
        path = next(folder / name for folder in folders if (folder / name).is_file())
        used |= _compile(environment, name, path, known)
    for name in sorted(_names(folders[0]) - used):
        raise TemplateError(f"{folders[0] / name}: 쓰이지 않는 파일입니다. 이름을 고치거나 지우세요")


def _compile(environment: SandboxedEnvironment, name: str, path: Path, known: set[str]) -> set[str]:
    """Compile one template and return the names of those it refers to."""
    try:
        source = path.read_text(encoding="utf-8-sig")
        others = {other for other in find_referenced_templates(environment.parse(source)) if other}
        environment.get_template(name)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"{path}:{error.lineno}: {error.message} - 그 줄을 고치세요") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise TemplateError(f"{path}:{line}: UTF-8이 아닙니다. UTF-8로 저장하세요") from None
    except OSError as error:
        raise TemplateError(
            f"{path}: {error.strerror}. 작업을 실행하는 사용자가 읽을 수 있게 하세요"
        ) from None
    for missing in sorted(others - known):
        line = source.partition(missing)[0].count("\n") + 1
        raise TemplateError(f"{path}:{line}: 서식 {missing}이(가) 없습니다. 이름을 고치거나 파일을 만드세요")
    return others


def _names(folder: Path) -> set[str]:
    found = (path for suffix in ("html", "txt") for path in folder.rglob(f"*.{suffix}"))
    return {path.relative_to(folder).as_posix() for path in found if path.is_file()}


def _files(kind: Kind, recipient: Recipient, channel: Channel) -> tuple[str, ...]:
    stem = f"{kind}/{recipient}"
    return (f"{stem}.sms.txt",) if channel == "sms" else (f"{stem}.txt", f"{stem}.html")


def _place(error: Exception, template: jinja2.Template) -> str:
    """Name the file and line of a template that an error came from; jinja2 writes them into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith((".html", ".txt"))]
    return f"{inside[-1].filename}:{inside[-1].lineno}" if inside else str(template.filename)
