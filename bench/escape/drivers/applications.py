"""Two applications on click, jinja2 and requests: cookiecutter fills in a template, mkdocs builds a site."""

import json
import os
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

HERE = Path(tempfile.mkdtemp())


def cookiecutter(run):
    from cookiecutter.cli import main

    template = HERE / "template"
    source = template / "{{cookiecutter.name}}" / "src"
    source.mkdir(parents=True)
    (template / "hooks").mkdir()
    (template / "cookiecutter.json").write_text(json.dumps({"name": "demo", "kind": ["a", "b"], "slug": "{{ cookiecutter.name|lower }}", "_copy_without_render": ["*.bin"]}))
    (template / "hooks" / "pre_gen_project.py").write_text('print("before {{cookiecutter.name}}")\n')
    for number in range(5):
        (source / f"f{number}.py").write_text("# {{cookiecutter.name}} {% if cookiecutter.kind == 'a' %}x{% endif %}\n")
    made = ["-o", str(HERE / "made")]
    for extra in (["--no-input", "-f"], ["--no-input", "-f", "name=other"], ["-f", "-v"], ["--no-input"], ["--replay", "-f"]):
        run(main, [str(template), *made, *extra], input="abc\n2\nslug\n")
    for arguments in ([str(HERE / "none")], ["--version"], ["--list-installed"]):
        run(main, arguments)


def mkdocs(run):
    from mkdocs.__main__ import cli

    (HERE / "docs").mkdir()
    (HERE / "mkdocs.yml").write_text("site_name: Demo\nnav:\n  - Home: index.md\n  - Sub:\n    - A: a.md\n    - B: b.md\nplugins: [search]\n")
    for name in ("index", "a", "b"):
        (HERE / "docs" / f"{name}.md").write_text(f"# {name}\n\nsome [link](a.md)\n\n```py\nx\n```\n\n## More\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    os.chdir(HERE)
    for arguments in (["build", "-q"], ["build", "--clean", "-s"], ["build", "-t", "readthedocs"], ["get-deps"], ["new", str(HERE / "new")], ["build", "-f", "/none"]):
        run(cli, arguments)


os.environ["HOME"] = str(HERE)
{"cookiecutter": cookiecutter, "mkdocs": mkdocs}[sys.argv[1]](CliRunner().invoke)
