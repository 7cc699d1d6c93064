"""Generators, generator expressions and coroutines keep their frames: who keeps them keeps the variables."""


def numbers(rows):
    for row in rows:
        scratch = [row]  # want "[row] frame"
        yield [row, len(scratch)]  # want "[row, len(scratch)] returned" "len(scratch) returned"


def consumed(n):
    return sum(len(pair) for pair in numbers([n, n]))  # want "sum(len(pair) for pair in numbers([n, n])) returned" "(len(pair) for pair in numbers([n, n])) frame" "len(pair) returned" "numbers([n, n]) frame" "[n, n] frame"  # BAD: a number


def handed_on(n):
    values = [n]  # want "[n] generator"
    return numbers(values)  # want "numbers(values) returned"


def expression(n):
    values = [n]  # want "[n] generator"
    return (value for value in values)  # want "(value for value in values) returned"


def expression_consumed(n):
    values = [n]  # want "[n] frame"
    return any(value for value in values)  # want "any(value for value in values) returned" "(value for value in values) frame"


def delegated(n):
    yield from [[n]]  # want "[[n]] frame" "[n] returned"


async def answer(n):
    return [n]  # want "[n] returned"


async def awaited(n):
    value = await answer([n])  # want "answer([n]) frame" "[n] frame"
    return len(value)  # want "len(value) returned"


async def not_awaited(n):
    return answer([n])  # want "answer([n]) returned" "[n] generator"


async def stream(rows):
    async for row in rows:
        pair = (row, row)  # want "(row, row) returned"
        yield pair


async def guarded(lock, n):
    async with lock:
        values = [n]  # want "[n] frame"
        return len(values)  # want "len(values) returned"


def keeps_its_function(n):
    def numbered(number):  # want "def numbered generator"
        yield number

    return numbered(n)  # want "numbered(n) returned"
