"""A web service that leaks, in two of the usual ways; find them with two heap profiles.

It sells things: ``GET /product/<number>?session=<id>`` shows a page, which every visitor gets with a session of his own.

    python examples/leaking_service.py --visits 4000      visits itself and leaves early.prof and late.prof
    python examples/leaking_service.py --port 8080        serves; the live heap is at /debug/pprof/heap

``--fixed`` repairs both leaks.
"""

import argparse
import html
import json
import sys
from wsgiref.simple_server import make_server
from wsgiref.util import setup_testing_defaults

import gomem
import gomem.endpoint

CATALOGUE = {
    str(number): {"name": f"Product {number}", "price": 5 + number % 90, "parts": [f"part {number}-{i}" for i in range(8)]}
    for number in range(200)
}


class PriceFeed:
    """Tells listeners about new prices."""

    def __init__(self):
        self.listeners = []

    def subscribe(self, listener):
        self.listeners.append(listener)

    def unsubscribe(self, listener):
        self.listeners.remove(listener)


class Visit:
    """One request: it listens for price changes while it is being answered."""

    def __init__(self, product, session):
        self.product = product
        self.basket = json.loads(json.dumps({"session": session, "items": [dict(product) for _ in range(4)]}))

    def price_changed(self, number, price):
        self.product["price"] = price


class Shop:
    """The WSGI application."""

    def __init__(self, fixed=False):
        self.fixed = fixed
        self.prices = PriceFeed()
        self.pages = {}

    def __call__(self, environ, start_response):
        number = environ["PATH_INFO"].rpartition("/")[2]
        if number not in CATALOGUE:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such product"]
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [self.page(number, environ["QUERY_STRING"])]

    def page(self, number, session):
        # Leak 1: the session is part of the key, so no entry is ever found again, and nothing is ever evicted.
        key = number if self.fixed else (number, session)
        if key not in self.pages:
            self.pages[key] = self.render(number, session)
        return self.pages[key]

    def render(self, number, session):
        visit = Visit(CATALOGUE[number], session)
        # Leak 2: nobody unsubscribes, so the feed keeps every visit and its basket alive.
        self.prices.subscribe(visit.price_changed)
        rows = "".join(f"<li>{html.escape(part)}</li>" for part in visit.product["parts"])
        if self.fixed:
            self.prices.unsubscribe(visit.price_changed)
        return f"<h1>{html.escape(visit.product['name'])}</h1><ul>{rows}</ul>".encode()


def visit_often(shop, first, count):
    for number in range(first, first + count):
        environ = {"PATH_INFO": f"/product/{number % len(CATALOGUE)}", "QUERY_STRING": f"session=s{number:06d}"}
        setup_testing_defaults(environ)
        b"".join(shop(environ, lambda status, headers: None))


def main(args):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=4000)
    parser.add_argument("--port", type=int)
    parser.add_argument("--fixed", action="store_true")
    options = parser.parse_args(args)
    shop = Shop(options.fixed)
    gomem.start()
    if options.port is not None:
        make_server("127.0.0.1", options.port, gomem.endpoint.wsgi(shop)).serve_forever()
    visit_often(shop, 0, options.visits // 4)
    gomem.write_heap_profile("early.prof")
    visit_often(shop, options.visits // 4, options.visits - options.visits // 4)
    gomem.write_heap_profile("late.prof")
    print(f"{options.visits} visits; wrote early.prof and late.prof")


if __name__ == "__main__":
    main(sys.argv[1:])
