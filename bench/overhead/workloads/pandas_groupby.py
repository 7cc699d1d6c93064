"""pandas: filter, join, group and pivot a table of 100,000 rows; Python objects and native buffers mixed."""

import numpy
import pandas

COUNT = 40
ROWS = 100_000
NUMBERS = numpy.arange(ROWS)
SALES = pandas.DataFrame(
    {
        "shop": NUMBERS * 7919 % 200,
        "article": [f"article {i * 104729 % 500}" for i in range(ROWS)],
        "day": NUMBERS % 365,
        "amount": (NUMBERS * 31 % 1000) / 10,
    }
)
SHOPS = pandas.DataFrame({"shop": range(200), "region": [f"region {i % 9}" for i in range(200)]})


def turn(number: int) -> int:
    joined = SALES[SALES["day"] != number % 365].merge(SHOPS, on="shop")
    grouped = joined.groupby(["region", "article"])["amount"].agg(["sum", "mean", "count"])
    table = joined.pivot_table(index="article", columns="region", values="amount", aggfunc="sum")
    return int(grouped["sum"].sum()) + len(grouped) + int(table.notna().sum().sum())


def run(count: int) -> int:
    return sum(turn(number) for number in range(count))
