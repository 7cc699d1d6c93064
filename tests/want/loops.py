"""What lives longer than the round of a loop in which it was made, and what does not."""

SINK = []  # want "[] module"


def of_one_round(values):
    for value in values:
        held = [value]  # want "[value] frame"
        held.append(1)  # want "held.append(1) frame"


def of_the_last_round(values):
    held = None
    for value in values:
        held = [value]  # want "[value] returned"
    return held


def all_rounds(values):
    found = []  # want "[] returned"
    for value in values:
        found.append([value])  # want "found.append([value]) frame" "[value] returned"
    return found


def all_rounds_dropped(values):
    found = []  # want "[] frame"
    for value in values:
        found.append([value])  # want "found.append([value]) frame" "[value] frame"
    return len(found)  # want "len(found) returned"


def until_the_next_round(values):
    before = None
    total = 0
    for value in values:
        if before is not None:
            total += len(before)  # want "len(before) frame"
        before = [value]  # want "[value] frame"
    return total


def chained(values):
    node = None
    for value in values:
        node = (value, node)  # want "(value, node) returned"
    return node


def chained_and_dropped(values):
    node = None
    for value in values:
        node = [value, node]  # want "[value, node] frame"
    return 0


def left_early(values):
    for value in values:
        held = [value]  # want "[value] returned"
        if value:
            break
    else:
        return None
    return held


def behind_the_loop(values):
    held = None
    while values:
        values = values[1:]  # want "values[1:] frame"
    held = [0]  # want "[0] frame"
    return held is None


def in_the_other_branch(n):
    held = None
    if n:
        while n:
            n -= 1
    else:
        held = [n]  # want "[n] frame"
    return held is None


def swapped_every_round(values):
    one, two = [0], {0}  # want "[0] returned" "{0} returned"
    for _ in values:
        one, two = two, one
    return one


def captured_every_round(values):
    calls = []  # want "[] returned"
    for value in values:
        held = [value]  # want "[value] closure"
        calls.append(lambda: held)  # want "calls.append(lambda: held) frame" "lambda: held returned"
    return calls


def captured_and_called_every_round(values):
    total = 0
    for value in values:
        held = [value]  # want "[value] frame"
        total += (lambda: len(held))()  # want "(lambda: len(held))() frame" "lambda: len(held) frame" "len(held) returned"
    return total


def filled_while_reading(values):
    waiting = [[value] for value in values]  # want "[[value] for value in values] frame" "[value] frame"
    done = []  # want "[] frame"
    while waiting:
        one = waiting.pop()  # want "waiting.pop() frame"
        done.append(one)  # want "done.append(one) frame"
    return len(done)  # want "len(done) returned"


def outer_round(rows):
    best = None
    for row in rows:
        inner = []  # want "[] returned"
        for value in row:
            inner.append([value])  # want "inner.append([value]) frame" "[value] returned"
        if best is None:
            best = inner
    return best


def inner_round(rows):
    kept = []  # want "[] frame"
    for row in rows:
        for value in row:
            pair = (value, kept)  # want "(value, kept) frame"
            kept = [pair]  # want "[pair] frame"
    return len(kept)  # want "len(kept) returned"


def of_a_comprehension(values):
    return [len([value]) for value in values]  # want "[len([value]) for value in values] returned" "len([value]) returned" "[value] frame"


def kept_by_the_module(values):
    for value in values:
        SINK.append([value])  # want "SINK.append([value]) frame" "[value] global"
