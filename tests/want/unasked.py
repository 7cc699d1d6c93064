"""What Python calls without a call in the program, and methods that a class body makes otherwise than by one ``def``."""

import operator
from dataclasses import dataclass

KEEP = []  # want "[] module"


class Pool:
    def __enter__(self):
        return self

    def __exit__(self, *exc):  # want "*exc frame"
        KEEP.append(self)  # want "KEEP.append(self) frame"

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):  # want "*exc frame"
        KEEP.append(self)  # want "KEEP.append(self) frame"


def kept_by_exit(n):
    with Pool() as pool:  # want "Pool() global"
        pool.rows = [n]  # want "[n] global"


async def kept_by_aexit(n):
    async with Pool() as pool:  # want "Pool() global"
        pool.rows = [n]  # want "[n] global"


class Catching:
    def __enter__(self):
        pass

    def __exit__(self, kind, error, traceback):
        KEEP.append(error)  # want "KEEP.append(error) frame"
        return True


def kept_by_its_traceback(n):
    rows = [n]  # want "[n] global"
    with Catching():  # want "Catching() frame"
        raise ValueError(len(rows))  # want "ValueError(len(rows)) raised" "len(rows) raised"


class Proxy:
    def __init__(self, what):
        self._what = what

    def __getattr__(self, name):
        return self._what


def passed_on(n):
    return Proxy([n]).rows  # want "Proxy([n]) frame" "[n] returned"


def method_passed_on(n):
    return Proxy([n]).copy((n, n))  # want "Proxy([n]).copy((n, n)) returned" "Proxy([n]) frame" "[n] unknown" "(n, n) unknown"


class Watching:
    def __getattribute__(self, name):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return 1


def attribute_read():
    return Watching().x  # want "Watching() global"


class Target:
    def __setattr__(self, name, value):
        KEEP.append(value)  # want "KEEP.append(value) frame"

    def __delitem__(self, key):
        KEEP.append(key)  # want "KEEP.append(key) frame"

    def __delattr__(self, name):
        KEEP.append(self)  # want "KEEP.append(self) frame"


def attribute_set(n):
    Target().x = [n]  # want "Target() frame" "[n] global"


def item_deleted(n):
    del Target()[n, n]  # want "Target() frame" "n, n global"


def attribute_deleted(n):
    del Target().x  # want "Target() global"


class Reborn:
    def __del__(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"


def deleted():
    Reborn()  # want "Reborn() global"


class Compared:
    def __contains__(self, key):
        KEEP.append(key)  # want "KEEP.append(key) frame"
        return True

    def __eq__(self, other):
        KEEP.append(other)  # want "KEEP.append(other) frame"
        return True

    def __lt__(self, other):
        KEEP.append(other)  # want "KEEP.append(other) frame"
        return True


def searched(n):
    return (n, n) in Compared()  # want "(n, n) global" "Compared() frame"


def equal(n):
    return (n, n) != Compared()  # want "(n, n) global" "Compared() frame"


def less(n):
    return Compared() < (n, n)  # want "Compared() frame" "(n, n) global"


def greater(n):
    return (n, n) > Compared()  # want "(n, n) global" "Compared() frame"


class Listed:
    def __init__(self, what):
        self.what = what

    def __iter__(self):
        KEEP.append(self.what)  # want "KEEP.append(self.what) frame"
        yield self.what

    def __aiter__(self):
        return self

    async def __anext__(self):
        KEEP.append(self.what)  # want "KEEP.append(self.what) frame"
        return self.what


def searched_item_by_item(n):
    return n in Listed([n])  # want "Listed([n]) frame" "[n] global"


async def asynchronous(n):
    async for _ in Listed([n]):  # want "Listed([n]) frame" "[n] global"
        pass


class Missing(dict):
    def __missing__(self, key):
        KEEP.append(key)  # want "KEEP.append(key) frame"
        return key


def missing(n):
    return Missing()[n, n]  # want "Missing() frame" "n, n global"


@dataclass
class Checked:
    what: object

    def __post_init__(self):
        KEEP.append(self.what)  # want "KEEP.append(self.what) frame"


def checked(n):
    Checked([n])  # want "Checked([n]) frame" "[n] global"


class Registered:
    def __init_subclass__(cls, **kw):  # want "**kw frame"
        KEEP.append(cls)  # want "KEEP.append(cls) frame"


def subclass(n):
    class Local(Registered, rows=[n]):  # want "class Local global" "[n] unknown"
        pass


class Meta(type):
    def __call__(cls, *args):  # want "*args frame"
        made = super().__call__(*args)  # want "super().__call__(*args) global"
        KEEP.append(made)  # want "KEEP.append(made) frame"
        return made


class Made(metaclass=Meta):
    pass


def made_by_the_metaclass(n):
    Made([n])  # want "Made([n]) unknown" "[n] unknown"


def single(cls):
    return cls.make()  # want "cls.make() returned"


@single
class Only:  # want "class Only frame"
    @classmethod
    def make(cls):
        return KEEP.append


def decorated_class(n):
    Only([n])  # want "Only([n]) frame" "[n] global"


class Lazy:
    def __init__(self, function):
        self.function = function

    def __get__(self, one, cls=None):
        KEEP.append(one)  # want "KEEP.append(one) frame"
        return 1

    def __set__(self, one, value):
        KEEP.append(value)  # want "KEEP.append(value) frame"


class Bodies:
    if KEEP:

        def either(self, rows):
            KEEP.append(rows)  # want "KEEP.append(rows) frame"

        @property
        def read(self):
            KEEP.append(self)  # want "KEEP.append(self) frame"
    else:

        def either(self, rows):
            pass

        @property
        def read(self):
            pass

    def later(self, rows):
        pass

    def later(self, rows):
        KEEP.append(rows)  # want "KEEP.append(rows) frame"

    def _get(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"

    def _set(self, value):
        KEEP.append(value)  # want "KEEP.append(value) frame"

    def other(self, rows):
        pass

    plain = property(_get, _set)  # want "property(_get, _set) class"
    written = property(lambda self: KEEP.append(self))  # want "property(lambda self: KEEP.append(self)) class" "lambda self: KEEP.append(self) class" "KEEP.append(self) returned"
    unknown = property(operator.attrgetter("rows"))  # want "property(operator.attrgetter('rows')) class" "operator.attrgetter('rows') class"
    only_set = property(None, _set)  # want "property(None, _set) class"
    alias = other_alias = _set
    other = KEEP.append
    short = lambda self, rows: KEEP.append(rows)  # want "lambda self, rows: KEEP.append(rows) class" "KEEP.append(rows) returned"
    static = staticmethod(lambda rows: KEEP.append(rows))  # want "staticmethod(lambda rows: KEEP.append(rows)) class" "lambda rows: KEEP.append(rows) class" "KEEP.append(rows) returned"
    lazy = Lazy(_get)  # want "Lazy(_get) class"

    @Lazy
    def decorated(self):
        return 1

    @property
    def removed(self):
        return 1

    @removed.deleter
    def removed(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"


class Plain:
    def alias(self, rows):
        pass

    def other(self, rows):
        pass


def one_of_two_methods(n):
    Bodies().either([n])  # want "Bodies().either([n]) frame" "Bodies() frame" "[n] global"
    Bodies().read  # want "Bodies() global"


def the_last_method(n):
    Bodies().later([n])  # want "Bodies().later([n]) frame" "Bodies() frame" "[n] global"


def property_without_decorator(n):
    Bodies().plain  # want "Bodies() global"
    Bodies().written  # want "Bodies() global"
    Bodies().unknown  # want "Bodies() unknown"


def set_without_decorator(n):
    Bodies().plain = [n]  # want "Bodies() frame" "[n] global"
    Bodies().only_set = [n]  # want "Bodies() frame" "[n] global"


def another_name(one, n):
    Bodies().alias([n])  # want "Bodies().alias([n]) frame" "Bodies() frame" "[n] global"
    one.alias([n, n])  # want "one.alias([n, n]) frame" "[n, n] global"


def replaced_in_the_body(one, n):
    Bodies().other([n])  # want "Bodies().other([n]) frame" "Bodies() unknown" "[n] unknown"
    one.other([n, n])  # want "one.other([n, n]) frame" "[n, n] unknown"


def lambda_in_the_body(n):
    Bodies().short([n])  # want "Bodies().short([n]) frame" "Bodies() frame" "[n] global"
    Bodies().static([n, n])  # want "Bodies().static([n, n]) frame" "Bodies() frame" "[n, n] global"


def descriptor(n):
    Bodies().lazy  # want "Bodies() global"
    Bodies().lazy = [n]  # want "Bodies() frame" "[n] global"
    Bodies().decorated  # want "Bodies() unknown"


def deleter():
    del Bodies().removed  # want "Bodies() global"


def given_twice(n):
    one = Plain()  # want "Plain() frame"
    _put_and_keep(one, one, [n])  # want "_put_and_keep(one, one, [n]) frame" "[n] global"


def taken_out_twice(n):
    one, other = Plain(), Plain()  # want "Plain() frame" "Plain() returned"
    _put_and_take(one, one, other, [n])  # want "_put_and_take(one, one, other, [n]) frame" "[n] returned"
    return other


def wrapped_twice(n):
    one = Plain()  # want "Plain() frame"
    return _put_and_wrap(one, one, [n])  # want "_put_and_wrap(one, one, [n]) returned" "[n] returned"


def _put_and_keep(one, same, rows):
    KEEP.append(same.rows)  # want "KEEP.append(same.rows) frame"
    one.rows = rows


def _put_and_take(one, same, other, rows):
    other.a = same.rows
    one.rows = rows


def _put_and_wrap(one, same, rows):
    wrapper = [same.rows]  # want "[same.rows] returned"
    one.rows = rows
    return wrapper


class Column:
    def __init__(self, rows=None):
        self.rows = rows

    def __lt__(self, other):
        return [self, other]  # want "[self, other] returned"


def comparison_kept(n):
    return Column([n]) < (n, n)  # want "Column([n]) returned" "[n] returned" "(n, n) returned"


class Chosen:
    take = KEEP.append if KEEP else None

    def __init__(self, rows):
        self.rows = rows


def function_of_the_class(n):
    Chosen([n]).take(n)  # want "Chosen([n]).take(n) frame" "Chosen([n]) unknown" "[n] unknown"


class Lazy:
    def __init__(self):
        self.ready = [1]  # want "[1] instance"

    def __getattr__(self, name):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        self.late = [name]  # want "[name] global"
        return self.late


def asked_once(n):
    return len(Lazy().late)  # want "len(Lazy().late) returned" "Lazy() global"


def has_it_already(n):
    return len(Lazy().ready)  # want "len(Lazy().ready) returned" "Lazy() frame"


class Instances(type):
    def __instancecheck__(cls, one):
        KEEP.append(one)  # want "KEEP.append(one) frame"
        return True

    def __subclasscheck__(cls, one):
        KEEP.append(one)  # want "KEEP.append(one) frame"
        return True


class Anything(metaclass=Instances):
    pass


def instance_of(n):
    return isinstance([n], Anything), isinstance((n,), (int, Anything)), isinstance({n}, int)  # want "isinstance([n], Anything), isinstance((n,), (int, Anything)… returned" "isinstance([n], Anything) returned" "[n] global" "isinstance((n,), (int, Anything)) returned" "(n,) global" "(int, Anything) frame" "isinstance({n}, int) returned" "{n} frame"


def subclass_of():
    class Own:  # want "class Own global"
        pass

    return issubclass(Own, Anything)  # want "issubclass(Own, Anything) returned"


class Point:
    __match_args__ = ("place",)

    def __init__(self, x):
        self.x = x

    @property
    def place(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return self.x


def matched(n):
    match [n]:  # want "[n] global"
        case Anything():
            return 1
    match Point([n]):  # want "Point([n]) global" "[n] global"
        case Point(0):
            return 2


def matched_by_place(point, n):
    match point:
        case Point(where):
            return len(where)  # want "len(where) returned"


def handed_to_a_match(n):
    return matched_by_place(Point([n]), n)  # want "matched_by_place(Point([n]), n) returned" "Point([n]) global" "[n] global"


class Backward:
    def __reversed__(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return iter([])  # want "iter([]) returned" "[] returned"

    def __pow__(self, other):
        KEEP.append(other)  # want "KEEP.append(other) frame"


def backward_and_up(n):
    reversed(Backward())  # want "reversed(Backward()) frame" "Backward() global"
    pow(Backward(), [n])  # want "pow(Backward(), [n]) frame" "Backward() frame" "[n] global"


class Watch:
    def __delete__(self, one):
        KEEP.append(one)  # want "KEEP.append(one) frame"


class Watching:
    watched = Watch()  # want "Watch() class"


def no_more_watched():
    watching = Watching()  # want "Watching() global"
    del watching.watched


class Answering:
    def __getattribute__(self, name):
        return KEEP.append

    def put(self, rows):
        pass


def asked_for_a_method(n):
    Answering().put([n])  # want "Answering().put([n]) frame" "Answering() frame" "[n] global"


class Screen:
    def __init__(self, rows):
        self.rows = rows

    def write(self, text):
        KEEP.append(self.rows)  # want "KEEP.append(self.rows) frame"


def printed_on(n):
    print("nothing", file=Screen([n]))  # want "print('nothing', file=Screen([n])) frame" "Screen([n]) frame" "[n] global"


def forward(name):
    def ask(self, *given):  # want "def ask returned" "*given frame"
        return getattr(self.wrapped, name)(*given)  # want "getattr(self.wrapped, name)(*given) returned" "getattr(self.wrapped, name) frame"

    return ask


class Forwarding:
    __getattr__ = forward("get")  # want "forward('get') class"

    def __init__(self, wrapped):
        self.wrapped = wrapped


class Forwarded(Forwarding):
    def __getattr__(self, name):
        return name


def asked_of_what_a_body_assigns(n):
    return Forwarding(n).first([n])  # want "Forwarding(n).first([n]) returned" "Forwarding(n) unknown" "[n] unknown"


class Answers:
    def __getattr__(self, name):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        raise AttributeError

    @property
    def rows(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return []  # want "[] returned"


def asked_whether(n):
    hasattr(Answers(), "lines")  # want "hasattr(Answers(), 'lines') frame" "Answers() global"
    hasattr(Answers(), "rows")  # want "hasattr(Answers(), 'rows') frame" "Answers() global"
    hasattr(Answers(), "row" + str(n))  # want "hasattr(Answers(), 'row' + str(n)) frame" "Answers() global" "'row' + str(n) global" "str(n) frame"


def begins(cls):
    def begin(self, *given):  # want "def begin argument" "*given global"
        KEEP.append(given)  # want "KEEP.append(given) frame"

    cls.__init__ = begin
    return cls


@begins
class Begun:
    def __init__(self, rows):
        pass


def put_there(cls):
    cls.put = KEEP.append


class Written:
    def put(self, rows):
        pass


put_there(Written)  # want "put_there(Written) frame"


class Writing(type):
    def __init__(cls, *given):  # want "*given frame"
        cls.set = KEEP.append


class WrittenByMeta(metaclass=Writing):
    def set(self, rows):
        pass


def put_by_others(n):
    Begun([n])  # want "Begun([n]) unknown" "[n] unknown"
    Written().put([n])  # want "Written().put([n]) frame" "Written() unknown" "[n] unknown"
    WrittenByMeta().set([n])  # want "WrittenByMeta().set([n]) frame" "WrittenByMeta() unknown" "[n] unknown"
