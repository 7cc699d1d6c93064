"""What Go's escape tests ask of fields, slices, maps, levels and calls, thought through for Python: which of several objects leaves."""

SINK = []  # want "[] module"


class Pair:
    def __init__(self, first, second):
        self.first = first
        self.second = second


def one_field_leaves(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] global" "{n} frame"
    SINK.append(pair.first)  # want "SINK.append(pair.first) frame"


def whole_leaves(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) global" "[n] global" "{n} global"
    SINK.append(pair)  # want "SINK.append(pair) frame"


def field_of_a_field(n):
    inner = Pair([n], None)  # want "Pair([n], None) frame" "[n] returned"
    outer = Pair(inner, None)  # want "Pair(inner, None) frame"
    return outer.first.first


def swapped(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] returned" "{n} returned"  # BAD: [n] frame; an order of stores is not told in fields
    pair.first, pair.second = pair.second, pair.first
    return pair.first


def one_of_a_tuple(n):
    both = ([n], {n})  # want "([n], {n}) frame" "[n] returned" "{n} frame"
    return both[0]


def one_of_a_list(n):
    both = [[n], {n}]  # want "[[n], {n}] frame" "[n] returned" "{n} returned"  # BAD: {n} frame; items of a list are not told apart
    return both[0]


def part_of_a_list(n):
    rows = [[n], [n]]  # want "[[n], [n]] frame" "[n] returned" "[n] returned"  # BAD: the first [n] frame; items of a list are not told apart
    return rows[1:]  # want "rows[1:] returned"


def value_of_a_dict(n):
    table = {(n, n): [n]}  # want "{(n, n): [n]} frame" "(n, n) returned" "[n] returned"  # BAD: (n, n) frame; keys are not told from values
    return table[n, n]  # want "n, n frame"


def key_of_a_dict(n):
    table = {(n, n): [n]}  # want "{(n, n): [n]} frame" "(n, n) returned" "[n] returned"  # BAD: [n] frame; keys are not told from values
    return min(table.keys())  # want "min(table.keys()) returned" "table.keys() frame"


def into_a_dict_that_leaves(n):
    table = {}  # want "{} global"
    table[n] = [n]  # want "[n] global"
    SINK.append(table)  # want "SINK.append(table) frame"


def identity(x):
    return x


def drops(x):
    return len([x])  # want "len([x]) returned" "[x] frame"


def second(x, y):
    return y


def through_calls(n):
    drops([n])  # want "drops([n]) frame" "[n] frame"
    return identity(second({n}, [n]))  # want "identity(second({n}, [n])) returned" "second({n}, [n]) returned" "{n} frame" "[n] returned"


def deeper(box, n):
    box.inner.items = [n]  # want "[n] argument"


def reads_only(box):
    return box.inner.items is None


def dies_in_a_level_below(n):
    box = Pair(None, None)  # want "Pair(None, None) frame"
    box.inner = Pair(None, None)  # want "Pair(None, None) frame"
    deeper(box, n)  # want "deeper(box, n) frame"
    return reads_only(box)  # want "reads_only(box) returned"


def even(n, kept):
    return kept if not n else odd(n - 1, [kept])  # want "odd(n - 1, [kept]) returned" "n - 1 frame" "[kept] returned"


def odd(n, kept):
    return len(kept) if not n else even(n - 1, [kept])  # want "len(kept) returned" "even(n - 1, [kept]) returned" "n - 1 frame" "[kept] returned"


def loop_carried(values):
    last = None
    for value in values:
        current = [value]  # want "[value] returned"
        current.append(last)  # want "current.append(last) frame"
        last = current
    return last


def overwritten_in_a_loop(values):
    found = 0
    for value in values:
        current = [value]  # want "[value] frame"
        found += len(current)  # want "len(current) frame"
    return found


def through_self(n):
    values = []  # want "[] frame"
    values.append(values)  # want "values.append(values) frame"
    values.append([n])  # want "values.append([n]) frame" "[n] frame"
    return len(values)  # want "len(values) returned"
