"""Small programs of which every marked site's fate is known: ``#: kind fate`` (several by commas) on the line of the site.

``main()`` is called once. A fate is what ``Truth`` counts; ``-`` stands for nothing fresh seen.
"""

CASES = {
    "local": """
def main():
    x = [object()]  #: list frame, call frame
    x.append({1: x[0]})  #: dict frame
""",
    "temporary": """
def main():
    len([object()])  #: list frame
    sum([1, 2])  #: list frame
""",
    "returned": """
def main():
    return [object()]  #: list returned, call returned
""",
    "returned in a container": """
def main():
    a = [object()]  #: list returned
    return {"a": (a, 1)}  #: dict returned, tuple returned
""",
    "text as a key": """
from collections import Counter, OrderedDict, defaultdict
def main(n=3):
    one = {f"{n}": object()}  #: fstring frame, dict frame, call frame
    two = {f"{n}": n, (n, n): n}  #: fstring frame, dict frame, tuple frame
    three = defaultdict(list, {f"{n}": n})  #: fstring frame, dict frame, call frame
    four = Counter([f"{n}"])  #: fstring frame, list frame, call frame
    five = OrderedDict([(f"{n}", n)])  #: fstring frame, list frame, tuple frame, call frame
    value = f"{n}"  #: fstring frame
    six = {value: value}  #: dict frame
    return {f"{n}": n}  #: fstring returned, dict returned
""",
    "text as a key of a dict that is an attribute": """
class C:
    pass
def fails(n):
    one = C()  #: call frame
    one.table = {f"{n}": n}  #: fstring frame, dict frame
    raise ValueError
def main():
    try:
        fails(3)
    except ValueError:
        pass
""",
    "text as the name of an attribute": """
class C:
    pass
def main(n=3):
    one = C()  #: call frame
    vars(one)[f"a{n}"] = n  #: fstring escaped
""",
    "a dead object behind a weak proxy": """
import weakref
class C:
    pass
KEPT = []
def keep():
    KEPT.append(weakref.proxy(C()))  #: call frame escaped
def main():
    keep()
    both = [KEPT]  #: list escaped
    KEPT.append(both)
""",
    "returned part": """
def main():
    pair = ([object()], {})  #: tuple frame, list returned, dict frame
    return pair[0]
""",
    "global": """
KEPT = []
def main():
    KEPT.append([object()])  #: list escaped, call escaped
""",
    "instance": """
class C:
    def set(self):
        self.x = [object()]  #: list escaped
        self.y = {}  #: dict frame
        self.y = 1
C1 = C()
def main():
    C1.set()
""",
    "argument": """
def fill(into):
    into.append([object()])  #: list escaped
def main():
    x = []  #: list frame
    fill(x)
""",
    "argument that dies with the callee": """
def look(items):
    return len(items)
def main():
    return look([object()])  #: list frame
""",
    "identity": """
def same(x):
    return x
def main():
    return same([1])  #: list returned, call -
""",
    "local cycle": """
def main():
    a = [object()]  #: list cycle
    b = {"a": a}  #: dict cycle
    a.append(b)
""",
    "returned cycle": """
class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []  #: list escaped
        if parent:
            parent.children.append(self)
def main():
    root = Node(None)  #: call returned
    Node(root)  #: call -
    return root
""",
    "closure returned": """
def main():
    count = [object()]  #: list returned
    def inner():  #: def returned
        return count
    return inner
""",
    "closure that stays": """
def main():
    count = [object()]  #: list frame
    def inner():  #: def frame
        return count
    inner()
""",
    "recursive closure": """
def main():
    def inner(n):  #: def cycle
        return inner(n - 1) if n else 0
    return inner(3)
""",
    "lambda": """
def main():
    f = lambda x: [x, object()]  #: lambda frame, list returned
    f(1)
""",
    "lambda that keeps": """
KEPT = []
def main():
    (lambda *a: KEPT.append([a]))(1)  #: lambda frame, list escaped, args escaped
""",
    "nonlocal": """
def main():
    last = None
    def put():
        nonlocal last
        last = [object()]  #: list escaped
    put()
""",
    "default argument": """
def main():
    def inner(x=[]):  #: def returned, list returned
        return x
    return inner
""",
    "comprehension": """
def main():
    x = [[i] for i in range(3)]  #: listcomp frame, list returned
    return [(i, j) for i, j in enumerate(x)]  #: listcomp returned, tuple returned, call frame
""",
    "nested comprehension": """
def main():
    rows = {str(i): [[j] for j in range(i)] for i in range(3)}  #: dictcomp frame, listcomp frame, list frame
    return len(rows)
""",
    "generator expression consumed": """
def main():
    return any([i] == 3 for i in range(3))  #: genexp frame, list frame
""",
    "generator expression returned": """
def main():
    x = [object()]  #: list returned
    return (i for i in x)  #: genexp returned
""",
    "generator": """
def numbers():
    buffer = [object()]  #: list frame
    for i in range(3):
        temporary = {i: i}  #: dict frame
        yield [i]  #: list yielded
def main():
    for item in numbers():  #: call frame
        pass
""",
    "what is dead is not the None that is yielded": """
class Thing:
    pass
def numbers():
    pair = [1, None]  #: list yielded
    thing = Thing()  #: call frame
    del thing
    yield pair
def main():
    for item in numbers():  #: call frame
        pass
""",
    "generator closed early": """
def numbers():
    buffer = [object()]  #: list frame
    while True:
        yield buffer[0]
def main():
    g = numbers()  #: call frame
    next(g)
    g.close()
""",
    "generator closed early, methods in variables": """
def numbers():
    seen = set()  #: call frame
    add = seen.add
    rows = [object()]  #: list frame
    it = iter(rows)  #: call frame
    for i in it:
        add(i)
        yield 1
def main():
    next(numbers())
""",
    "raised through, methods in variables": """
def work():
    found = []  #: list frame
    put = found.append
    both = {1: [put]}  #: dict frame, list frame
    1 / 0
def main():
    try:
        work()
    except ZeroDivisionError:
        pass
""",
    "raised through, closure kept": """
KEPT = []
def work():
    found = []  #: list escaped
    def inner():  #: def escaped
        return found
    KEPT.append(inner)
    1 / 0
def main():
    try:
        work()
    except ZeroDivisionError:
        pass
""",
    "generator dropped": """
def numbers():
    buffer = [object()]  #: list frame
    yield 1
    yield 2
def main():
    next(numbers())  #: call frame
""",
    "generator that returns": """
def numbers():
    yield 1
    return [object()]  #: list returned
def whole():
    x = yield from numbers()
    return None
def main():
    list(whole())  #: call frame
""",
    "yielded container": """
def rows():
    header = [object()]  #: list yielded
    yield {"header": header}  #: dict yielded
def main():
    list(rows())
""",
    "async": """
import asyncio
async def work(x):
    buffer = [x]  #: list frame
    await asyncio.sleep(0)
    return {1: x}  #: dict returned
async def both():
    a = await work([object()])  #: list returned
    t = asyncio.create_task(work(2))
    await t
    return a
def main():
    asyncio.run(both())
""",
    "async generator": """
import asyncio
async def rows():
    buffer = [object()]  #: list frame
    yield [1]  #: list yielded
    return
async def use():
    async for row in rows():
        pass
    async with Manager():  #: call frame
        x = {}  #: dict frame
class Manager:
    async def __aenter__(self):
        return [self]  #: list returned
    async def __aexit__(self, *error):  #: args frame
        pass
def main():
    asyncio.run(use())
""",
    "raised": """
def fail(x):
    detail = [x]  #: list raised
    scratch = {x: 1}  #: dict frame
    raise ValueError(detail)  #: call raised
def main():
    try:
        fail(1)
    except ValueError:
        pass
""",
    "raised through": """
def inner(x):
    raise KeyError(x)  #: call raised
def middle():
    buffer = [object()]  #: list raised
    scratch = [buffer]  #: list frame
    inner(buffer)
def main():
    try:
        middle()
    except KeyError as error:
        pass
""",
    "raised and caught here": """
def main():
    try:
        raise ValueError([object()])  #: call frame, list frame
    except ValueError:
        pass
    x = {}  #: dict frame
""",
    "stored before it fails": """
KEPT = []
def fail():
    KEPT.append([object()])  #: list escaped
    raise OSError
def main():
    try:
        fail()
    except OSError:
        KEPT.clear()
""",
    "exception kept": """
def attempt():
    buffer = [object()]  #: list frame
    try:
        1 / 0
    except ZeroDivisionError as error:
        return error
def main():
    return attempt() and None
""",
    "finally": """
def main():
    try:
        return [object()]  #: list returned
    finally:
        log = {"done": 1}  #: dict frame
""",
    "overridden return": """
def pick():
    try:
        return [object()]  #: list frame
    finally:
        return {}  #: dict returned
def main():
    pick()
""",
    "with": """
class Manager:
    def __enter__(self):
        return [object()]  #: list returned
    def __exit__(self, *error):  #: args frame
        return False
def main():
    with Manager() as x:  #: call frame
        return x
""",
    "super and class cell": """
class A:
    def __init__(self, x):
        self.x = x
class B(A):
    def __init__(self):
        super().__init__([object()])  #: list escaped
    def name(self):
        return __class__.__name__ + "!"  #: binop returned
def main():
    B().name()  #: call frame
""",
    "class body": """
class C:
    table = {"a": [object()]}  #: dict escaped, list escaped
    size = len([object()])  #: list frame
    def method(self):  #: def escaped
        pass
def main():
    class Local:  #: class cycle
        x = [object()]  #: list escaped
    return Local().x and None
""",
    "module": """
TABLE = [object()]  #: list escaped
size = len([object()])  #: list frame
def main():  #: def escaped
    pass
""",
    "decorator": """
KEPT = []
def register(f):
    KEPT.append(f)
    return f
def main():
    @register
    def inner():  #: def escaped
        pass
""",
    "wrapping decorator": """
def double(f):
    def wrapper(*args):  #: def returned, args frame
        return f(*args) * 2
    return wrapper
def main():
    @double
    def one(x):  #: def frame
        return x
    return one(1) and None
""",
    "packed arguments": """
KEPT = []
def keeps(*args, **kwargs):  #: args escaped, kwargs frame
    KEPT.append(args)
def passes(*args, **kwargs):  #: args frame, kwargs returned
    keeps(*args)
    return kwargs
def main():
    passes(object(), a=1)
""",
    "strings": """
KEPT = {}
def main():
    name = f"{len(KEPT)}-name"  #: fstring escaped
    KEPT[name] = 1
    return "a" + str(len(name))  #: binop returned
""",
    "slices": """
def main():
    x = list(range(9))  #: call frame
    y = x[1:3]  #: slice frame
    return x[2:4]  #: slice returned
""",
    "mangled names": """
class C:
    def __init__(self):
        self.__x = [object()]  #: list escaped
    def get(self):
        __y = [self.__x]  #: list frame
        return __y[0]
def main():
    C().get()
""",
    "getter is not fresh": """
class C:
    x = [object()]
    def get(self):
        return self.x
C1 = C()
def main():
    C1.get()  #: call -
""",
    "pop hands over": """
KEPT = [[object()]]
def main():
    x = KEPT.pop()  #: call frame
""",
    "mixed": """
KEPT = []
def work(keep):
    x = [object()]  #: list frame escaped
    if keep:
        KEPT.append(x)
def main():
    work(False)
    work(True)
""",
    "many frames": """
def work(n):
    x = [n]  #: list frame
    return n and work(n - 1)
def main():
    work(40)
""",
    "weakly held": """
import weakref
class C:
    pass
KEPT = weakref.WeakSet()
def main():
    c = C()  #: call frame
    KEPT.add(c)
""",
    "callback": """
def main():
    return sorted([[2], [1]], key=lambda x: [x])[0][0]  #: lambda frame
""",
    "bound method kept": """
class C:
    def m(self):
        pass
KEPT = []
def main():
    KEPT.append(C().m)  #: call escaped
""",
    "partial returned": """
from functools import partial
def main():
    x = [object()]  #: list returned
    return partial(len, x)  #: call returned
""",
    "iterator returned": """
def main():
    x = [object()]  #: list returned
    return iter(x)  #: call returned
""",
    "thread": """
import threading
def work(x):
    y = [x]  #: list frame
def main():
    t = threading.Thread(target=work, args=([object()],))
    t.start()
    t.join()
""",
    "dataclass": """
from dataclasses import dataclass, field
@dataclass
class P:
    x: list = field(default_factory=list)
def main():
    p = P()  #: call frame
    q = P([object()])  #: call returned, list returned
    return q
""",
    "match": """
def main():
    match [object(), 1]:  #: list frame
        case [x, 1]:
            return (x, 2)  #: tuple returned
""",
    "frame looked at": """
import sys
def depth():
    return sys._getframe(1).f_code.co_name
def main():
    x = [object()]  #: list frame
    assert depth() == "main"
""",
    "walrus": """
def main():
    if (x := [object()]):  #: list frame
        return [y := x[0]] and None  #: list frame
""",
    "star args call": """
def f(a, b):
    return [a]  #: list returned
def main():
    f(*[1, object()])  #: list frame
""",
}
