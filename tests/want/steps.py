"""What a call does two steps below an argument, and nothing else, is known: the other things the argument holds are not touched."""

KEPT = []  # want "[] module"


class Table:
    def __init__(self, pairs):
        rows = []  # want "[] global"
        for name, value in pairs:
            rows.append((name, value))  # want "rows.append((name, value)) frame" "(name, value) global"
        KEPT.append(rows)  # want "KEPT.append(rows) frame"


class Page:
    def __init__(self):
        self.words = []  # want "[] instance"
        self.marks = []  # want "[] instance"


class Book:
    def __init__(self):
        self.page = Page()  # want "Page() instance"


def note(book, word):
    book.page.words.append(word)  # want "book.page.words.append(word) frame"


def keep_marks(book):
    KEPT.append(book.page.marks)  # want "KEPT.append(book.page.marks) frame"


def pairs_die(a):
    Table([("a", [a])])  # want "Table([('a', [a])]) frame" "[('a', [a])] frame" "('a', [a]) frame" "[a] global"


def words_die(n):
    book = Book()  # want "Book() frame"
    note(book, [n])  # want "note(book, [n]) frame" "[n] global"  # BAD: frame; the two lists that a Page makes are told as one
    keep_marks(book)  # want "keep_marks(book) frame"


class Mark(str):
    pass


def parts(text, n):
    mark = Mark(text)  # want "Mark(text) frame"
    return [mark[1:], mark[n]] == [n]  # want "[mark[1:], mark[n]] frame" "mark[1:] frame" "[n] frame"
