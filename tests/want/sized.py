"""Size known at run time only, and large buffers: where reuse pays."""


def comprehension(rows):
    squares = [row * row for row in rows]  # want "[row * row for row in rows] frame" "row * row returned"  # BAD: numbers
    return sum(squares)  # want "sum(squares) returned"


def returned_comprehension(rows):
    return [[row] for row in rows]  # want "[[row] for row in rows] returned" "[row] returned"


def sets_and_dicts(rows):
    index = {row: [row] for row in rows}  # want "{row: [row] for row in rows} frame" "[row] frame"
    names = {row for row in rows}  # want "{row for row in rows} frame"
    return len(index) + len(names)  # want "len(index) + len(names) returned" "len(index) frame" "len(names) frame"


def buffer(stream):
    data = bytearray(1 << 20)  # want "bytearray(1 << 20) frame"
    return stream.readinto(data)  # want "stream.readinto(data) returned"


def returned_buffer():
    return bytearray(1 << 20)  # want "bytearray(1 << 20) returned"


def repeated(n):
    zeros = [0] * n  # want "[0] * n frame" "[0] frame"
    return len(zeros)  # want "len(zeros) returned"


def sliced(rows):
    return len(rows[1:])  # want "len(rows[1:]) returned" "rows[1:] frame"


def returned_slice(rows):
    return rows[:2]  # want "rows[:2] returned"


def nested(rows):
    return [[cell for cell in row] for row in rows if len([row])]  # want "[[cell for cell in row] for row in rows if len([row])] returned" "[cell for cell in row] returned" "len([row]) frame" "[row] frame"
