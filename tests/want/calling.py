"""Functions made and called: at once, under another name, in a loop, at the end of a block; with many arguments; put in place of
others."""

import contextlib

SINK = []  # want "[] module"


def nothing(x):
    pass


def same(x):
    return x


def called_at_once(n):
    (lambda x: x.append(1))([n])  # want "(lambda x: x.append(1))([n]) frame" "lambda x: x.append(1) frame" "x.append(1) returned" "[n] frame"
    return n


def called_at_once_in_a_loop(values):
    for value in values:
        (lambda x: x.append(1))([value])  # want "(lambda x: x.append(1))([value]) frame" "lambda x: x.append(1) frame" "x.append(1) returned" "[value] frame"


def result_of_a_lambda_dropped(n):
    (lambda x: x)([n])  # want "(lambda x: x)([n]) frame" "lambda x: x frame" "[n] frame"
    return n


def result_of_a_lambda_kept(n):
    SINK.append((lambda x: x)([n]))  # want "SINK.append((lambda x: x)([n])) frame" "(lambda x: x)([n]) global" "lambda x: x frame" "[n] global"


def part_of_the_argument_kept(n):
    SINK.append((lambda x: x[0])([[n]]))  # want "SINK.append((lambda x: x[0])([[n]])) frame" "(lambda x: x[0])([[n]]) global" "lambda x: x[0] frame" "[[n]] frame" "[n] global"


def argument_kept(n):
    def keep(x):  # want "def keep frame"
        SINK.append(x)  # want "SINK.append(x) frame"

    keep([n])  # want "keep([n]) frame" "[n] global"


def argument_to_an_outer_variable(values):
    last = None

    def note(x):  # want "def note frame"
        nonlocal last
        last = x

    for value in values:
        note([value])  # want "note([value]) frame" "[value] frame"
    return len(last)  # want "len(last) returned"


def argument_to_an_outer_variable_that_leaves(values):
    last = None

    def note(x):  # want "def note frame"
        nonlocal last
        last = x

    for value in values:
        note([value])  # want "note([value]) frame" "[value] returned"
    return last


def captured_and_called(n):
    held = [n]  # want "[n] frame"
    return (lambda: len(held))()  # want "(lambda: len(held))() returned" "lambda: len(held) frame" "len(held) returned"


def captured_and_handed_out(n):
    held = [n]  # want "[n] returned"
    return (lambda: held)()  # want "(lambda: held)() returned" "lambda: held frame"


def captured_part_handed_out(n):
    held = [[n]]  # want "[[n]] frame" "[n] returned"
    return (lambda: held[0])()  # want "(lambda: held[0])() returned" "lambda: held[0] frame"


def called_by_another(f):
    return f()  # want "f() returned"


def captured_and_called_by_another(n):
    held = [n]  # want "[n] unknown"  # BAD: [n] frame; of what a function that was passed in returns, nothing is known
    return len(called_by_another(lambda: held))  # want "len(called_by_another(lambda: held)) returned" "called_by_another(lambda: held) frame" "lambda: held frame"


def made_and_returned(n):
    held = [n]  # want "[n] closure"
    return lambda: held  # want "lambda: held returned"


def under_other_names(n):
    f = nothing
    f([n])  # want "f([n]) frame" "[n] frame"
    g = f
    g({n})  # want "g({n}) frame" "{n} frame"
    h = same
    h((n, n))  # want "h((n, n)) frame" "(n, n) frame"
    return n


def reassigned(n, flag):
    f = nothing
    if flag:
        f = SINK.append
    f([n])  # want "f([n]) frame" "[n] global"


def reassigned_closure(n, flag):
    held = [n]  # want "[n] frame"
    f = lambda x: nothing(x)  # want "lambda x: nothing(x) frame" "nothing(x) returned"
    if flag:
        f = lambda x: held.append(x)  # want "lambda x: held.append(x) frame" "held.append(x) returned"
    f({n})  # want "f({n}) frame" "{n} frame"
    return n


def reassigned_in_a_closure(n):
    held = [n]  # want "[n] returned"  # BAD: [n] frame; what a nested function overwrites is not forgotten

    def change():  # want "def change frame"
        nonlocal held
        held = {n}  # want "{n} closure"

    change()  # want "change() frame"
    return held


# at the end: what defer is in Go


def at_the_end(n):
    held = [n]  # want "[n] frame"
    try:
        return len(held)  # want "len(held) returned"
    finally:
        nothing({n})  # want "nothing({n}) frame" "{n} frame"


def at_the_end_kept(n):
    held = [n]  # want "[n] global"
    try:
        return n
    finally:
        SINK.append(held)  # want "SINK.append(held) frame"


def at_the_end_of_a_block(n):
    with contextlib.ExitStack() as stack:  # want "contextlib.ExitStack() unknown"  # BAD: frame; no summary tells what ExitStack.callback does
        stack.callback(nothing, [n])  # want "stack.callback(nothing, [n]) frame" "[n] unknown"  # BAD: [n] frame; the same
    return n


def at_the_end_in_a_loop(values):
    with contextlib.ExitStack() as stack:  # want "contextlib.ExitStack() unknown"  # BAD: frame; the same
        for value in values:
            stack.callback(lambda held=[value]: len(held))  # want "stack.callback(lambda held=[value]: len(held)) frame" "lambda held=[value]: len(held) unknown" "[value] unknown" "len(held) returned"  # BAD: the lambda and [value] frame; the same
    return 0


def at_the_end_of_an_own_block(n):
    waiting = []  # want "[] frame"
    waiting.append(lambda: [n])  # want "waiting.append(lambda: [n]) frame" "lambda: [n] frame" "[n] returned"
    for call in waiting:
        call()  # want "call() frame"
    return n


# many arguments


def first_of(first, *rest):  # want "*rest frame"
    return first


def one_of_the_rest(first, *rest):  # want "*rest frame"
    return rest[0]


def all_the_rest(*rest):  # want "*rest returned"
    return rest


def by_name(**names):  # want "**names frame"
    return names["x"]


def all_by_name(**names):  # want "**names returned"
    return names


def many_dropped(n):
    first_of(n, [n], {n})  # want "first_of(n, [n], {n}) frame" "[n] frame" "{n} frame"
    return n


def first_kept(n):
    SINK.append(first_of([n], {n}))  # want "SINK.append(first_of([n], {n})) frame" "first_of([n], {n}) global" "[n] global" "{n} frame"


def one_kept(n):
    SINK.append(one_of_the_rest([n], {n}))  # want "SINK.append(one_of_the_rest([n], {n})) frame" "one_of_the_rest([n], {n}) global" "[n] frame" "{n} global"


def all_kept(n):
    SINK.append(all_the_rest([n], {n}))  # want "SINK.append(all_the_rest([n], {n})) frame" "all_the_rest([n], {n}) global" "[n] global" "{n} global"


def spread(n):
    held = [[n], {n}]  # want "[[n], {n}] frame" "[n] frame" "{n} frame"
    return len(all_the_rest(*held))  # want "len(all_the_rest(*held)) returned" "all_the_rest(*held) frame"


def spread_and_kept(n):
    held = [[n], {n}]  # want "[[n], {n}] frame" "[n] global" "{n} global"  # BAD: [n] frame; items of a list are not told apart
    SINK.append(one_of_the_rest(*held))  # want "SINK.append(one_of_the_rest(*held)) frame" "one_of_the_rest(*held) global"


def one_name_kept(n):
    SINK.append(by_name(x=[n]))  # want "SINK.append(by_name(x=[n])) frame" "by_name(x=[n]) global" "[n] global"


def all_names_kept(n):
    SINK.append(all_by_name(x=[n]))  # want "SINK.append(all_by_name(x=[n])) frame" "all_by_name(x=[n]) global" "[n] global"


# calls that call each other


class Tree:
    def __init__(self, text, left=None, right=None):
        self.text = text
        self.left = left
        self.right = right


def walk(tree):
    if tree is None:
        return 0
    low, high = walk(tree.left), walk(tree.right)  # want "walk(tree.left) frame" "walk(tree.right) frame"
    if low < high:
        tree.left, tree.right = tree.right, tree.left
    return low + high + len(tree.text)  # want "low + high + len(tree.text) returned" "low + high frame" "len(tree.text) frame"


def walked(n):
    return walk(Tree([n], Tree([n]), Tree([n, n])))  # want "walk(Tree([n], Tree([n]), Tree([n, n]))) returned" "Tree([n], Tree([n]), Tree([n, n])) frame" "[n] frame" "Tree([n]) frame" "[n] frame" "Tree([n, n]) frame" "[n, n] frame"


class Shape:
    def __init__(self, corners=()):
        self.corners = corners


class Round(Shape):
    def __init__(self, corners=()):
        self.corners = ()


class Square(Shape):
    def __init__(self, corners=()):
        self.corners = corners


class Star(Shape):
    def __init__(self, corners=()):
        self.corners = None


def begun_again(shape: Shape):
    """Initialisers are not known by their name alone."""
    shape.__init__([shape.corners])  # want "shape.__init__([shape.corners]) frame" "[shape.corners] argument"


class Two(list):
    def __init__(self, first, second):
        super(Two, self).__init__([first, second])  # want "super(Two, self).__init__([first, second]) frame" "super(Two, self) frame" "[first, second] frame"


def all_at_once(a, b, n):
    a, b, c, d = b, a, [n], n  # want "b, a, [n], n frame" "[n] frame"
    return a, b, d, len(c)  # want "a, b, d, len(c) returned" "len(c) returned"
