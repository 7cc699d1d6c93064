"""The first cause: what is returned, alone, held by something, or in a position of a tuple."""


def fresh(n):
    return [n]  # want "[n] returned"


def stays(n):
    values = [n, n]  # want "[n, n] frame"
    return len(values)  # want "len(values) returned"


def through_a_name(n):
    first = [n]  # want "[n] returned"
    second = first
    return second


def reassigned(n):
    value = [n]  # want "[n] frame"
    value = {n: n}  # want "{n: n} returned"
    return value


def either(flag, n):
    if flag:
        value = [n]  # want "[n] returned"
    else:
        value = {n}  # want "{n} returned"
    return value


def held(n):
    inner = [n]  # want "[n] returned"
    outer = [inner]  # want "[inner] returned"
    return outer


def only_what_it_holds(n):
    inner = [n]  # want "[n] returned"
    outer = [inner]  # want "[inner] frame"
    return outer[0]


def positions(n):
    return [n], {n}  # want "[n], {n} returned" "[n] returned" "{n} returned"


def first_of_two(n):
    first, second = positions(n)  # want "positions(n) frame"
    second.add(n)  # want "second.add(n) frame"
    return first


def identity(x):
    return x


def through_a_call(n):
    return identity([n])  # want "identity([n]) returned" "[n] returned"


def argument_only(n):
    return len(identity([n]))  # want "len(identity([n])) returned" "identity([n]) frame" "[n] frame"


def loop(rows):
    kept = None
    for row in rows:
        pair = (row, [row])  # want "(row, [row]) frame" "[row] returned"
        kept = pair[1]
    return kept


def swapped(n):
    a, b = [n], {n}  # want "[n] frame" "{n} returned"
    a, b = b, a
    return a
