"""Objects of which only a part is known: methods called on what was passed in, types asked for, attributes by name."""

import ctypes
import hashlib
import queue
import threading

SINK = []  # want "[] module"
CURRENT = None
LOCK = threading.Lock()  # want "threading.Lock() module"


class Quiet:
    def __init__(self, held):
        self.held = held

    def visit_it(self):
        return 1


class Keeping:
    def __init__(self, held):
        self.held = held

    def visit_it(self):
        SINK.append(self.held)  # want "SINK.append(self.held) frame"
        return 1


def visits(x):
    return x.visit_it()  # want "x.visit_it() returned"


def visits_one(x: Quiet):
    return x.visit_it()  # want "x.visit_it() returned"


def keeps(x):
    SINK.append(x)  # want "SINK.append(x) frame"


def drops(x):
    return None


def given_up_and_forgotten(n):
    one = Quiet([n])  # want "Quiet([n]) frame" "[n] frame"
    any_of_them = one
    return n


def of_known_type(n):
    return Quiet([n]).visit_it()  # want "Quiet([n]).visit_it() returned" "Quiet([n]) frame" "[n] frame"


def of_a_type_that_keeps(n):
    return Keeping([n]).visit_it()  # want "Keeping([n]).visit_it() returned" "Keeping([n]) frame" "[n] global"


def told_what_it_is(n):
    return visits_one(Quiet([n]))  # want "visits_one(Quiet([n])) returned" "Quiet([n]) frame" "[n] frame"


def one_of_two(n):
    return visits(Quiet([n]))  # want "visits(Quiet([n])) returned" "Quiet([n]) frame" "[n] global"  # BAD: [n] frame; of an unknown type, any visit_it may be called


def passed_to_who_drops(n):
    drops(Quiet([n]))  # want "drops(Quiet([n])) frame" "Quiet([n]) frame" "[n] frame"


def passed_to_who_keeps(n):
    keeps(Quiet([n]))  # want "keeps(Quiet([n])) frame" "Quiet([n]) global" "[n] global"


def asked_for_its_type(x, n):
    found = [n]  # want "[n] argument"
    if isinstance(x, Quiet):  # want "isinstance(x, Quiet) frame"
        x.held = found
    return n


def asked_and_taken_out(n):
    one = Quiet([n])  # want "Quiet([n]) frame" "[n] returned"
    if isinstance(one, Quiet):  # want "isinstance(one, Quiet) frame"
        return one.held
    return None


def matched(n):
    match Quiet([n]):  # want "Quiet([n]) frame" "[n] returned"
        case Quiet(held=inner):
            return inner
    return None


# attributes by name: what reflect is in Go


def type_asked(n):
    return type([n])  # want "type([n]) returned" "[n] frame"


def length_asked(n):
    return len([n])  # want "len([n]) returned" "[n] frame"


def attribute_by_name(n):
    one = Quiet([n])  # want "Quiet([n]) returned" "[n] returned"  # BAD: no method has that name
    return getattr(one, "held")  # want "getattr(one, 'held') returned"


def attribute_by_unknown_name(n, name):
    one = Quiet([n])  # want "Quiet([n]) returned" "[n] returned"  # BAD: no method has that name
    return getattr(one, name)  # want "getattr(one, name) returned"


def attribute_set_by_name(n):
    one = Quiet(None)  # want "Quiet(None) frame"
    setattr(one, "held", [n])  # want "setattr(one, 'held', [n]) frame" "[n] returned"
    return one.held


def all_attributes(n):
    one = Quiet([n])  # want "Quiet([n]) returned" "[n] returned"  # BAD: only its dict is
    return vars(one)  # want "vars(one) returned"


def called_by_name(n):
    one = Quiet([n])  # want "Quiet([n]) frame" "[n] unknown"  # BAD: [n] frame; names given to getattr are not looked at
    return getattr(one, "visit_it")()  # want "getattr(one, 'visit_it')() returned" "getattr(one, 'visit_it') frame"


# numbers made of objects, and what other threads are given


def hashed(n):
    return hash((n, n))  # want "hash((n, n)) returned" "(n, n) frame"


def named(n):
    return id([n])  # want "id([n]) returned" "[n] frame"


def shown(n):
    return repr([n])  # want "repr([n]) returned" "[n] frame"


def address_of(n):
    return ctypes.pointer(ctypes.c_int(n))  # want "ctypes.pointer(ctypes.c_int(n)) returned" "ctypes.c_int(n) unknown"


def sent(n):
    channel = queue.SimpleQueue()  # want "queue.SimpleQueue() unknown"  # BAD: frame; no summary tells of queue
    channel.put([n])  # want "channel.put([n]) frame" "[n] unknown"  # BAD: [n] frame; the same
    return n


def sent_and_received(n):
    channel = queue.SimpleQueue()  # want "queue.SimpleQueue() unknown"  # BAD: frame; the same
    channel.put([n])  # want "channel.put([n]) frame" "[n] unknown"
    return channel.get()  # want "channel.get() returned"


def digest_of(n):
    found = hashlib.sha256()  # want "hashlib.sha256() frame"
    found.update(bytes(n))  # want "found.update(bytes(n)) frame" "bytes(n) frame"
    return found.hexdigest()  # want "found.hexdigest() returned"


def stored_for_all(n):
    global CURRENT
    CURRENT = [n]  # want "[n] global"


def swapped_for_all(n):
    global CURRENT
    before, CURRENT = CURRENT, [n]  # want "[n] global"
    return before


def compared_and_swapped(n, expected):
    global CURRENT
    with LOCK:
        if CURRENT is expected:
            CURRENT = [n]  # want "[n] global"
