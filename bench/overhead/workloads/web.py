"""A request loop: query sqlite, render the rows with a Jinja template, look at the answer, drop everything."""

import sqlite3

import jinja2

COUNT = 700
TEMPLATE = jinja2.Environment(autoescape=True).from_string(
    """<html><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}<tr class="{{ loop.cycle('odd', 'even') }}"><td>{{ row.id }}</td><td>{{ row.name|title }}</td>
<td>{{ '%.2f'|format(row.price) }}</td>{% if row.stock < 5 %}<td>only {{ row.stock }} left</td>{% endif %}</tr>
{% endfor %}</table><p>{{ rows|length }} of {{ total }}</p></body></html>"""
)


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER, kind INTEGER)")
    rows = ((i, f"product <{i}> of the series", i * 1.5, i % 17, i % 50) for i in range(5000))
    connection.executemany("INSERT INTO product VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("CREATE INDEX by_kind ON product (kind)")
    return connection


CONNECTION = database()


def respond(kind: int) -> str:
    found = CONNECTION.execute("SELECT * FROM product WHERE kind = ? ORDER BY price DESC LIMIT 60", (kind,)).fetchall()
    total = CONNECTION.execute("SELECT count(*) FROM product WHERE kind = ?", (kind,)).fetchone()[0]
    return TEMPLATE.render(title=f"kind {kind}", rows=[dict(row) for row in found], total=total)


def run(count: int) -> int:
    return sum(len(respond(turn % 50)) for turn in range(count))
