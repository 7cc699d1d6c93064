"""A batch job with a peak: it reads orders, groups them, and prints a small report.

Everything is freed before it ends, so a profile of what is in use at the end shows nothing; the peak shows
``load_orders``, which keeps every order as a dict although the report needs four sums.
"""

import json
import sys


def make_lines(count):
    """Orders as they would come from a file, one JSON text a line."""
    for number in range(count):
        lines = ", ".join(f'{{"sku": "sku-{(number * 7 + i) % 5000}", "quantity": {i + 1}}}' for i in range(3))
        country = ("DE", "FR", "NL", "SE")[number % 4]
        yield f'{{"id": "order-{number:07d}", "customer": {number % 997}, "country": "{country}", "lines": [{lines}]}}'


def load_orders(lines):
    return list(map(json.loads, lines))


def quantity_by_country(orders):
    totals = {}
    for order in orders:
        for line in order["lines"]:
            totals[order["country"]] = totals.get(order["country"], 0) + line["quantity"]
    return totals


def main(count):
    orders = load_orders(make_lines(count))
    for country, quantity in sorted(quantity_by_country(orders).items()):
        print(f"{country} {quantity:8d}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
