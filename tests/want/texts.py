"""Texts that are joined and added: which of them can be the result itself, as what has nothing added to it is."""


def two_joined(n):
    return ", ".join([f"{n}", n.strip()])  # want "', '.join([f'{n}', n.strip()]) returned" "[f'{n}', n.strip()] frame" "f'{n}' frame" "n.strip() frame"


def one_joined(n):
    return ", ".join([f"{n}"])  # want "', '.join([f'{n}']) returned" "[f'{n}'] frame" "f'{n}' returned"


def perhaps_one_joined(n):
    return ", ".join((f"{n}", *n))  # want "', '.join((f'{n}', *n)) returned" "(f'{n}', *n) frame" "f'{n}' returned"


def head_and_foot(rows):
    lines = [f"{rows}"]  # want "[f'{rows}'] frame" "f'{rows}' frame"
    for row in rows:
        lines.append(f"{row}")  # want "lines.append(f'{row}') frame" "f'{row}' frame"
    lines.append(f"{len(rows)}")  # want "lines.append(f'{len(rows)}') frame" "f'{len(rows)}' frame" "len(rows) frame"
    return "\n".join(lines)  # want "'\n'.join(lines) returned"


def perhaps_a_foot(rows):
    lines = [f"{rows}"]  # want "[f'{rows}'] frame" "f'{rows}' returned"
    if rows:
        lines.append(f"{rows!r}")  # want "lines.append(f'{rows!r}') frame" "f'{rows!r}' returned"
    return "\n".join(lines)  # want "'\n'.join(lines) returned"


def taken_away(rows):
    lines = [f"{rows}", f"{rows!r}"]  # want "[f'{rows}', f'{rows!r}'] frame" "f'{rows}' returned" "f'{rows!r}' returned"
    lines.pop()  # want "lines.pop() frame"
    return "\n".join(lines)  # want "'\n'.join(lines) returned"


def made_anew(rows):
    lines = [f"{rows}", f"{rows!r}"]  # want "[f'{rows}', f'{rows!r}'] frame" "f'{rows}' returned" "f'{rows!r}' returned"  # BAD: both texts frame; of a name that is assigned twice no length is known
    if rows:
        lines = [f"{rows}"]  # want "[f'{rows}'] frame" "f'{rows}' returned"
    return "\n".join(lines)  # want "'\n'.join(lines) returned"


def seen_by_another(rows):
    lines = [f"{rows}", f"{rows!r}"]  # want "[f'{rows}', f'{rows!r}'] frame" "f'{rows}' returned" "f'{rows!r}' returned"

    def less():  # want "def less frame"
        lines.clear()  # want "lines.clear() frame"

    less()  # want "less() frame"
    return "\n".join(lines)  # want "'\n'.join(lines) returned"


def in_a_loop(rows):
    lines = [f"{rows}"]  # want "[f'{rows}'] frame" "f'{rows}' frame"
    for row in rows:
        lines += [f"{row}"]  # want "[f'{row}'] frame" "f'{row}' frame"
        if row:
            return "".join(lines)  # want "''.join(lines) returned"
    return None


def added_to_a_name(n):
    text = f"<{n}>"  # want "f'<{n}>' returned"
    more = f"{n}"  # want "f'{n}' frame"
    return text + more  # want "text + more returned"


def added_again(n):
    text = "of "
    text += f"{n}"  # want "f'{n}' frame"
    text += n.strip()  # want "n.strip() frame"
    return text


def added_in_a_loop(rows):
    text = ""
    for row in rows:
        text += f"{row}"  # want "f'{row}' returned"
    return text


def filled_by_a_format(n):
    return n + f"{n}" + "%s, " % n  # want "n + f'{n}' + '%s, ' % n returned" "n + f'{n}' frame" "f'{n}' frame" "'%s, ' % n returned"


def perhaps_filled(n):
    return n + f"{n}" + "%s" % n  # want "n + f'{n}' + '%s' % n returned" "n + f'{n}' returned" "f'{n}' returned" "'%s' % n returned"


def template_of_one(form, n):
    return form.format(f"{n}")  # want "form.format(f'{n}') returned" "f'{n}' returned"


def template_of_two(form, n):
    return form.format(f"{n}", n)  # want "form.format(f'{n}', n) returned" "f'{n}' frame"


def template_of_names(form, n, m):
    return form.format(first=f"{n}", last=m)  # want "form.format(first=f'{n}', last=m) returned" "f'{n}' frame"


def template_of_parts(form, parts):
    return form.format(*parts, n=[parts])  # want "form.format(*parts, n=[parts]) returned" "[parts] returned"


def filled_with_two(form, n, m):
    return form % (f"{n}", m)  # want "form % (f'{n}', m) returned" "(f'{n}', m) frame" "f'{n}' frame"


def filled_with_one(form, n):
    return form % (f"{n}",)  # want "form % (f'{n}',) returned" "(f'{n}',) frame" "f'{n}' returned"


def filled_with_names(form, n, m):
    return form % {"n": f"{n}", "m": m}  # want "form % {'n': f'{n}', 'm': m} returned" "{'n': f'{n}', 'm': m} frame" "f'{n}' frame"


def filled_with_a_dict(form, n):
    names = {"n": f"{n}", "m": [n]}  # want "{'n': f'{n}', 'm': [n]} frame" "f'{n}' returned" "[n] returned"  # BAD: [n] frame; items of a dict are not told apart
    return form % names  # want "form % names returned"


def filled_with_something(form, names):
    return form % names  # want "form % names returned"


def seen_by_all(rows):
    global lines
    lines = [f"{rows}", f"{rows!r}"]  # want "[f'{rows}', f'{rows!r}'] global" "f'{rows}' global" "f'{rows!r}' global"
    rows.clear()  # want "rows.clear() frame"
    return "".join(lines)  # want "''.join(lines) returned"


class Word(str):
    pass


class Tagged(str):
    def __new__(cls, text, tag):
        made = str.__new__(cls, text)  # want "str.__new__(cls, text) returned"
        made.tags = [tag]  # want "[tag] returned"
        return made


class Chained(str):
    def __new__(cls, text):
        return super().__new__(cls, text)  # want "super().__new__(cls, text) returned"


class Pair(tuple):
    def __new__(cls, first, second):
        return tuple.__new__(cls, [first, second])  # want "tuple.__new__(cls, [first, second]) returned" "[first, second] frame"


def copied_into_words(n):
    return Word(f"{n}"), Tagged(f"{n!r}", n), Chained(f"{n!s}")  # want "Word(f'{n}'), Tagged(f'{n!r}', n), Chained(f'{n!s}') returned" "Word(f'{n}') returned" "f'{n}' frame" "Tagged(f'{n!r}', n) returned" "f'{n!r}' frame" "Chained(f'{n!s}') returned" "f'{n!s}' frame"


def paired(n):
    return Pair(f"{n}", [n])  # want "Pair(f'{n}', [n]) returned" "f'{n}' returned" "[n] returned"


def not_copied(n):
    return str(f"{n}")  # want "str(f'{n}') returned" "f'{n}' returned"


def two_parts(n):
    first, second = f"{n}".split(",")  # want "f'{n}'.split(',') frame" "f'{n}' frame"
    return first, second  # want "first, second returned"


def only_part(n):
    (first,) = f"{n}".split(",")  # want "f'{n}'.split(',') frame" "f'{n}' returned"
    return first


def first_part(n):
    return f"{n}".split(",")[0]  # want "f'{n}'.split(',') frame" "f'{n}' returned"


def second_part(n):
    return f"{n}".split(",")[1]  # want "f'{n}'.split(',') frame" "f'{n}' frame"


def each_part(n):
    return [part for part in f"{n}".split(",")]  # want "[part for part in f'{n}'.split(',')] returned" "f'{n}'.split(',') frame" "f'{n}' returned"


def before_the_mark(n, m):
    first, mark, rest = f"{n}".partition(f"{m}")  # want "f'{n}'.partition(f'{m}') frame" "f'{n}' returned" "f'{m}' frame"
    return first


def from_the_mark_on(n, m):
    first, mark, rest = f"{n}".partition(f"{m}")  # want "f'{n}'.partition(f'{m}') frame" "f'{n}' frame" "f'{m}' returned"
    return mark, rest  # want "mark, rest returned"


def behind_the_last_mark(n):
    return f"{n}".rpartition(",")[2]  # want "f'{n}'.rpartition(',') frame" "f'{n}' returned"


def first_of_two_or_one(n):
    pair = (f"{n}", n)  # want "(f'{n}', n) frame" "f'{n}' returned"
    return pair[0]


def wide_field(n):
    return "%9s" % f"{n}", "%(n)s" % {"n": f"{n!r}"}  # want "'%9s' % f'{n}', '%(n)s' % {'n': f'{n!r}'} returned" "'%9s' % f'{n}' returned" "f'{n}' returned" "'%(n)s' % {'n': f'{n!r}'} returned" "{'n': f'{n!r}'} frame" "f'{n!r}' returned"


def one_may_be_empty(n):
    return "{}{}".format(f"{n}", n)  # want "'{}{}'.format(f'{n}', n) returned" "f'{n}' returned"


def filled_by_a_template(n, m):
    text = "{}: ".format(n) + f"{m}"  # want "'{}: '.format(n) + f'{m}' frame" "'{}: '.format(n) frame" "f'{m}' frame"
    return text + ", ".join([n, m])  # want "text + ', '.join([n, m]) returned" "', '.join([n, m]) frame" "[n, m] frame"


def translated(n, data: bytes, table):
    return bytes(data).translate(table)  # want "bytes(data).translate(table) returned" "bytes(data) returned"


def without_fields(n):
    template = f"{n}"  # want "f'{n}' returned"
    return template.format()  # want "template.format() returned"


def filled_from_nothing(form, n):
    first = f"{n}!" % {"a": n}  # want "f'{n}!' % {'a': n} returned" "f'{n}!' returned" "{'a': n} frame"
    second = f"{n}!" % (n, n)  # want "f'{n}!' % (n, n) returned" "f'{n}!' frame" "(n, n) frame"
    third = f"{n}!".format(n, n)  # want "f'{n}!'.format(n, n) returned" "f'{n}!' returned"
    return [form % first, first, second, third]  # want "[form % first, first, second, third] returned" "form % first returned"
