"""Exceptions: what is raised escapes; an exception that is kept keeps the frame through its traceback."""

from contextlib import contextmanager


def fails(n):
    raise ValueError([n])  # want "ValueError([n]) raised" "[n] raised"


def message(n):
    raise KeyError(f"no {n}")  # want "KeyError(f'no {n}') raised" "f'no {n}' raised"


def handled(n):
    try:
        return int(n)  # want "int(n) returned"
    except ValueError as error:
        return len([str(error)])  # want "len([str(error)]) returned" "[str(error)] frame" "str(error) frame"


def kept(box, n):
    values = [n]  # want "[n] argument"
    try:
        len(values)  # want "len(values) frame"
    except TypeError as error:
        box.error = error


def finally_(n):
    values = [n]  # want "[n] frame"
    try:
        return len(values)  # want "len(values) returned"
    finally:
        values = {n}  # want "{n} frame"


def asserted(n):
    assert n, [n]  # want "[n] raised"


def goes_on(n):
    values = [n]  # want "[n] frame"
    try:
        values.append(int(n))  # want "values.append(int(n)) frame" "int(n) frame"
    except ValueError as error:
        raise error


def goes_on_with_more(n):
    try:
        int(n)  # want "int(n) frame"
    except ValueError as error:
        error.more = [n]  # want "[n] raised"
        raise error


def chained(n):
    try:
        int(n)  # want "int(n) frame"
    except ValueError as error:
        raise KeyError([n]) from error  # want "KeyError([n]) raised" "[n] raised"


def noted(n, rows):
    try:
        return rows[n]
    except IndexError as error:
        error.add_note(f"row {n}")  # want "error.add_note(f'row {n}') frame" "f'row {n}' raised"
        raise


def noted_and_gone(n, rows):
    try:
        return rows[n]
    except IndexError as error:
        error.add_note(f"row {n}")  # want "error.add_note(f'row {n}') frame" "f'row {n}' frame"


class Several(Exception):
    def __init__(self, errors):
        self.count = len(errors)  # want "len(errors) instance"


def arguments_of_an_exception(n):
    raise Several([n])  # want "Several([n]) raised" "[n] raised"


def taken_from_its_arguments(n):
    try:
        raise Several([n])  # want "Several([n]) raised" "[n] raised"
    except Several as error:
        return error.args


class Failure(Exception):
    def __init__(self, what, *args):  # want "*args instance"
        super().__init__(*args)  # want "super().__init__(*args) frame"
        self.what = what


class Refusal(Exception):
    def __init__(self, what, *args):  # want "*args frame"
        self.what = what


TABLE = {}  # want "{} module"


def looked_up(n):
    try:
        return TABLE[(n, n)]  # want "(n, n) raised"
    except KeyError:
        raise ValueError


def popped(n):
    try:
        return TABLE.pop((n, n))  # want "TABLE.pop((n, n)) returned" "(n, n) returned"
    except LookupError as error:
        return error.args


def looked_up_within(n):
    try:
        try:
            return TABLE[(n, n)]  # want "(n, n) raised"
        finally:
            n = 0
    except KeyError as error:
        raise ValueError from error


def looked_up_for_another(n):
    try:
        return TABLE[(n, n)]  # want "(n, n) frame"
    except ValueError:
        raise KeyError


def looked_up_before(n):
    try:
        return TABLE[(n, n)]  # want "(n, n) raised"
    except KeyError:
        try:
            return int(n)  # want "int(n) returned"
        except ValueError as error:
            kept = Refusal(error, error)  # want "Refusal(error, error) raised"
    raise kept


class Detail(Failure):
    def __init__(self, what):
        super(Failure, self).__init__(f"{what}!")  # want "super(Failure, self).__init__(f'{what}!') frame" "super(Failure, self) frame" "f'{what}!' unknown"


class Plain(Refusal):
    def __init__(self, what):
        super(Plain, self).__init__(f"{what}!")  # want "super(Plain, self).__init__(f'{what}!') frame" "super(Plain, self) frame" "f'{what}!' instance"


class Expected:
    error = None


@contextmanager
def expected(cls):
    found = Expected()  # want "Expected() returned"
    try:
        yield found
    except cls as error:
        found.error = error


def error_of(n):
    with expected(ValueError) as found:  # want "expected(ValueError) returned"
        message([n])  # want "message([n]) frame" "[n] frame"
    return found.error


def no_error_of(n):
    with expected(ValueError):  # want "expected(ValueError) frame"
        message([n])  # want "message([n]) frame" "[n] frame"
