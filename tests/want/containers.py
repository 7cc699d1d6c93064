"""Arrays, slices and maps: items put in and taken out, parts, copies, lists that grow."""

SINK = []  # want "[] module"


def pair_of(a, b):
    return [a, b]  # want "[a, b] returned"


def turned(pair):
    return [pair[1], pair[0]]  # want "[pair[1], pair[0]] returned"


def twice_turned_dropped(n):
    pair = turned(turned(pair_of([n], {n})))  # want "turned(turned(pair_of([n], {n}))) frame" "turned(pair_of([n], {n})) frame" "pair_of([n], {n}) frame" "[n] frame" "{n} frame"
    return len(pair)  # want "len(pair) returned"


def twice_turned_one_kept(n):
    pair = turned(turned(pair_of([n], {n})))  # want "turned(turned(pair_of([n], {n}))) frame" "turned(pair_of([n], {n})) frame" "pair_of([n], {n}) frame" "[n] returned" "{n} returned"  # BAD: {n} frame; items of a list are not told apart
    return pair[0]


def set_first(pair, x):
    pair[0] = x
    return pair[1]


def set_and_read(n):
    pair = [[n], {n}]  # want "[[n], {n}] frame" "[n] returned" "{n} returned"  # BAD: [n] frame; items of a list are not told apart
    return set_first(pair, (n, n))  # want "set_first(pair, (n, n)) returned" "(n, n) returned"  # BAD: (n, n) frame; the same


def small_and_large(n):
    small = [None] * 10  # want "[None] * 10 frame" "[None] frame"
    small[0] = [n]  # want "[n] frame"
    large = [None] * 100_000  # want "[None] * 100_000 frame" "[None] frame"
    large[0] = [n]  # want "[n] frame"
    return len(small) + len(large)  # want "len(small) + len(large) returned" "len(small) frame" "len(large) frame"


def of_a_size(n):
    buffer = bytearray(n)  # want "bytearray(n) frame"
    rows = [0] * n  # want "[0] * n frame" "[0] frame"
    return len(buffer) + len(rows)  # want "len(buffer) + len(rows) returned" "len(buffer) frame" "len(rows) frame"


# lists that grow


def added_and_dropped(n):
    rows = []  # want "[] frame"
    rows.append([n])  # want "rows.append([n]) frame" "[n] frame"
    return n


def added_and_taken_out(n):
    rows = []  # want "[] frame"
    rows.append([n])  # want "rows.append([n]) frame" "[n] returned"
    return rows[0]


def added_and_returned(n):
    rows = []  # want "[] returned"
    rows += [[n]]  # want "[[n]] frame" "[n] returned"
    return rows


def first_in_a_loop(n):
    rows = [[n]]  # want "[[n]] frame" "[n] returned"
    for row in rows:
        return row


def put_into_what_was_passed(rows, n):
    rows[0] = [n]  # want "[n] argument"


def put_into_one_or_another(rows, n):
    if rows is not None:
        rows = [None] * 10  # want "[None] * 10 frame" "[None] frame"
    rows[0] = [n]  # want "[n] argument"  # BAD: frame; rows is the new list if anything can be put into it
    return n


def one_added_to_all(into, out):
    for one in into:
        for number, other in enumerate(out):  # want "enumerate(out) frame"
            if other == one:
                out[number] = one
                break
        else:
            out.append(one)  # want "out.append(one) frame"
    return out


def added_to_all(n):
    return one_added_to_all(["PWD=" + str(n)], list(SINK))  # want "one_added_to_all(['PWD=' + str(n)], list(SINK)) returned" "['PWD=' + str(n)] frame" "'PWD=' + str(n) returned" "str(n) frame" "list(SINK) returned"


def copied_part_kept(n):
    rows = [[n], [n]]  # want "[[n], [n]] frame" "[n] global" "[n] global"  # BAD: the second [n] frame; items of a list are not told apart
    SINK.append(rows[:1])  # want "SINK.append(rows[:1]) frame" "rows[:1] global"


def joined(n):
    return [[n]] + [{n}]  # want "[[n]] + [{n}] returned" "[[n]] frame" "[n] returned" "[{n}] frame" "{n} returned"


def joined_and_dropped(n):
    return len([[n]] + [{n}])  # want "len([[n]] + [{n}]) returned" "[[n]] + [{n}] frame" "[[n]] frame" "[n] frame" "[{n}] frame" "{n} frame"


def turned_in_place(n):
    rows = [[n], {n}]  # want "[[n], {n}] frame" "[n] returned" "{n} returned"  # BAD: {n} frame; items of a list are not told apart
    rows.reverse()  # want "rows.reverse() frame"
    return rows.pop()  # want "rows.pop() returned"


def into_part_of_another(n):
    rows = [[n]]  # want "[[n]] global" "[n] global"
    rows[1:] = [{n}]  # want "[{n}] frame" "{n} global"
    SINK.append(rows)  # want "SINK.append(rows) frame"


def view_of_bytes(n):
    buffer = bytearray(n)  # want "bytearray(n) returned"
    return memoryview(buffer)  # want "memoryview(buffer) returned"


def view_of_bytes_dropped(n):
    buffer = bytearray(n)  # want "bytearray(n) frame"
    return len(memoryview(buffer))  # want "len(memoryview(buffer)) returned" "memoryview(buffer) frame"


# maps


def key_and_value_dropped(n):
    table = {}  # want "{} frame"
    table[n, n] = [n]  # want "n, n frame" "[n] frame"
    return n


def value_taken_out(n):
    table = {}  # want "{} frame"
    table[n] = [n]  # want "[n] returned"
    return table[n]


def keys_collected(n):
    table = {}  # want "{} frame"
    table[n, n] = [n]  # want "n, n returned" "[n] returned"  # BAD: [n] frame; keys are not told from values
    found = []  # want "[] returned"
    for key in table:
        found.append(key)  # want "found.append(key) frame"
    return found


def values_collected(n):
    table = {}  # want "{} frame"
    table[n] = [n]  # want "[n] returned"
    found = []  # want "[] returned"
    for key, value in table.items():  # want "table.items() frame"
        if key is not None:
            found.append(value)  # want "found.append(value) frame"
    return found


def put_into_a_map_that_was_passed(table, n):
    table[n, n] = [n]  # want "n, n argument" "[n] argument"


def map_kept(n):
    table = {(n, n): [n]}  # want "{(n, n): [n]} global" "(n, n) global" "[n] global"
    SINK.append(table)  # want "SINK.append(table) frame"


def looked_up_with_default(n):
    table = {n: [n]}  # want "{n: [n]} frame" "[n] returned"
    return table.get(n, {n})  # want "table.get(n, {n}) returned" "{n} returned"  # BAD: {n} frame; which keys a dict has is not known


def taken_out_for_good(n):
    table = {n: [n]}  # want "{n: [n]} frame" "[n] frame"
    return len(table.pop(n))  # want "len(table.pop(n)) returned" "table.pop(n) frame"


def merged(n):
    table = {1: [n]}  # want "{1: [n]} frame" "[n] returned"  # BAD: [n] frame; items of a dict are not told apart
    table.update({2: {n}})  # want "table.update({2: {n}}) frame" "{2: {n}} frame" "{n} returned"
    return table[2]


def spread_into_another(n):
    table = {"a": [n]}  # want "{'a': [n]} frame" "[n] global"
    SINK.append({**table})  # want "SINK.append({**table}) frame" "{**table} global"
