"""Everyday programs on packages from PyPI, for ``bench.gc.killer``; each needs the package that it is about (NEEDS)."""

from __future__ import annotations

import random


def orm(scale: float) -> None:
    """SQLAlchemy: rows with children written once and loaded again and again."""
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

    class Base(DeclarativeBase):
        pass

    def table(name: str, **fields: object) -> type:
        types = {key: Mapped[int] if key != "label" else Mapped[str] for key, value in fields.items() if not hasattr(value, "back_populates")}
        return type(name, (Base,), {"__tablename__": name.lower(), "__annotations__": types, **fields})

    order = table("Order", id=mapped_column(primary_key=True), label=mapped_column(), lines=relationship("Line", back_populates="order"))
    line = table(
        "Line", id=mapped_column(primary_key=True), label=mapped_column(), owner=mapped_column(ForeignKey("order.id")),
        order=relationship("Order", back_populates="lines"),
    )  # fmt: skip
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([order(label=str(i), lines=[line(label=str(j)) for j in range(10)]) for i in range(5000)])
        session.commit()
    for _ in range(round(4 * scale)):
        with Session(engine) as session:
            assert sum(len(each.lines) for each in session.scalars(select(order).options(selectinload(order.lines)))) == 50_000


def soup(scale: float) -> None:
    """Beautiful Soup: pages parsed and searched, one after the other."""
    from bs4 import BeautifulSoup

    page = "".join(f"<div class='c{i}'><p>text {i} <a href='/{i}'>link</a></p></div>" for i in range(8000))
    for _ in range(round(4 * scale)):
        assert len(BeautifulSoup(page, "html.parser").find_all("a")) == 8000


def graph(scale: float) -> None:
    """networkx: random graphs, their components, a part copied."""
    import networkx

    for seed in range(round(3 * scale)):
        made = networkx.gnm_random_graph(60_000, 180_000, seed=seed)
        assert list(networkx.connected_components(made)) and networkx.core_number(made)
        assert made.subgraph(range(30_000)).copy()


def algebra(scale: float) -> None:
    """sympy: expressions expanded, factored and integrated."""
    import sympy

    x, y, z = sympy.symbols("x y z")
    for power in range(round(6 * scale)):
        assert sympy.expand((x + y + z + 1) ** (12 + power)) and sympy.factor(sympy.expand((x + y) ** 8 * (x - y) ** 5))
        assert sympy.integrate(x**3 * sympy.sin(x) * sympy.exp(x), x)


def frames(scale: float) -> None:
    """pandas: a frame of records with lists in it, grouped and taken apart."""
    import pandas

    numbers = random.Random(1)
    frame = pandas.DataFrame([{"a": i, "b": str(numbers.randrange(100)), "c": [i]} for i in range(400_000)])
    for _ in range(round(3 * scale)):
        frame.groupby("b").a.sum()
        assert len(list(frame.itertuples())) == len(frame.to_dict("records")) == 400_000


def names(scale: float) -> None:
    """jedi: what the names of a module refer to."""
    import argparse
    import difflib
    import inspect

    import jedi

    for module in (argparse, difflib)[: max(1, round(2 * scale))]:
        script = jedi.Script(inspect.getsource(module))
        assert script.get_names(all_scopes=True, references=True) and [name.docstring() for name in script.get_names()[:60]]


def lint(scale: float) -> None:
    """pylint over a package of the standard library."""
    import contextlib
    import email
    import io
    import os

    from pylint import lint as pylint

    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(max(1, round(scale))):
            pylint.Run(["-j1", "--errors-only", os.path.dirname(email.__file__)], exit=False)


PROGRAMS = {"orm": orm, "soup": soup, "graph": graph, "algebra": algebra, "frames": frames, "names": names, "lint": lint}
NEEDS = {
    "orm": "sqlalchemy", "soup": "bs4", "graph": "networkx", "algebra": "sympy", "frames": "pandas", "names": "jedi", "lint": "pylint",
}  # fmt: skip
