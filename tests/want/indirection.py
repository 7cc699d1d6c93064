"""How many steps lie between what leaves and what was made: levels, parameters in and out, objects set into themselves."""

SINK = []  # want "[] module"


class Ref:
    def __init__(self, to=None):
        self.to = to

    def put(self, value):
        self.to = value

    def deep(self, value):
        self.to.to = value

    def get(self):
        return self.to

    def get_deep(self):
        return self.get().get()  # want "self.get().get() returned" "self.get() frame"


def all_levels_leave(n):
    zero = [n]  # want "[n] global"
    one = Ref(zero)  # want "Ref(zero) global"
    two = Ref(one)  # want "Ref(one) global"
    SINK.append(two)  # want "SINK.append(two) frame"


def one_level_less(n):
    zero = [n]  # want "[n] global"
    one = Ref(zero)  # want "Ref(zero) global"
    two = Ref(one)  # want "Ref(one) frame"
    SINK.append(two.to)  # want "SINK.append(two.to) frame"


def only_the_last(n):
    zero = [n]  # want "[n] global"
    one = Ref(zero)  # want "Ref(zero) frame"
    two = Ref(one)  # want "Ref(one) frame"
    SINK.append(two.to.to)  # want "SINK.append(two.to.to) frame"


def copied_then_leaves(n):
    one = Ref([n])  # want "Ref([n]) frame" "[n] global"
    two = Ref(one.to)  # want "Ref(one.to) global"
    SINK.append(two)  # want "SINK.append(two) frame"


def number_leaves(n):
    one = Ref([n])  # want "Ref([n]) frame" "[n] frame"
    SINK.append(one.to[0])  # want "SINK.append(one.to[0]) frame"


def copied_and_dropped(n):
    one = Ref([n])  # want "Ref([n]) frame" "[n] frame"
    other = Ref()  # want "Ref() frame"
    other.to = one.to
    return n


# a parameter to the result


def same(x):
    return x


def both(x, y):
    return x, y  # want "x, y returned"


def of_same_dropped(n):
    same([n])  # want "same([n]) frame" "[n] frame"
    return n


def of_same_kept(n):
    SINK.append(same([n]))  # want "SINK.append(same([n])) frame" "same([n]) global" "[n] global"


def first_of_both(n):
    first, _ = both([n], {n})  # want "both([n], {n}) frame" "[n] global" "{n} frame"
    SINK.append(first)  # want "SINK.append(first) frame"


# a parameter into another one


def put_into(x, holder):
    holder.to = x


def put_into_local(n):
    holder = Ref()  # want "Ref() frame"
    put_into([n], holder)  # want "put_into([n], holder) frame" "[n] frame"
    return n


def put_into_kept(n):
    holder = Ref()  # want "Ref() frame"
    put_into([n], holder)  # want "put_into([n], holder) frame" "[n] global"
    SINK.append(holder.to)  # want "SINK.append(holder.to) frame"


def put_by_method(n):
    holder = Ref()  # want "Ref() frame"
    holder.put([n])  # want "holder.put([n]) frame" "[n] frame"
    return n


def put_deep_by_method(n):
    inner = Ref()  # want "Ref() global"
    holder = Ref(inner)  # want "Ref(inner) frame"
    holder.deep([n])  # want "holder.deep([n]) frame" "[n] global"
    SINK.append(inner)  # want "SINK.append(inner) frame"


def got_by_method(n):
    holder = Ref(Ref([n]))  # want "Ref(Ref([n])) frame" "Ref([n]) frame" "[n] returned"
    return holder.get_deep()  # want "holder.get_deep() returned"


def wrapped(x):
    return Ref(x)  # want "Ref(x) returned"


def wrapped_dropped(n):
    wrapped(wrapped([n]))  # want "wrapped(wrapped([n])) frame" "wrapped([n]) frame" "[n] frame"
    return n


def wrapped_and_opened(n):
    return wrapped(wrapped([n])).to.to  # want "wrapped(wrapped([n])) frame" "wrapped([n]) frame" "[n] returned"


def twice(x):
    return same(same(x))  # want "same(same(x)) returned" "same(x) returned"


def through_twice(n):
    return twice([n])  # want "twice([n]) returned" "[n] returned"


def what_it_holds(holder):
    SINK.append(holder.to)  # want "SINK.append(holder.to) frame"


def content_leaves(n):
    what_it_holds(Ref([n]))  # want "what_it_holds(Ref([n])) frame" "Ref([n]) frame" "[n] global"


def content_of_content_leaves(n):
    what_it_holds(Ref(Ref([n])))  # want "what_it_holds(Ref(Ref([n]))) frame" "Ref(Ref([n])) frame" "Ref([n]) global" "[n] global"


def copy_of(holder):
    return Ref(holder.to)  # want "Ref(holder.to) returned"


def copy_is_kept(n):
    SINK.append(copy_of(Ref([n])))  # want "SINK.append(copy_of(Ref([n]))) frame" "copy_of(Ref([n])) global" "Ref([n]) frame" "[n] global"


# self-assignment


class Pair:
    def __init__(self, one, two):
        self.one = one
        self.two = two

    def level(self):
        self.one = self.two

    def turn(self):
        self.one, self.two = self.two, self.one

    def close(self):
        self.one = self


def levelled(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] frame" "{n} frame"
    pair.level()  # want "pair.level() frame"
    return n


def levelled_and_kept(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) global" "[n] global" "{n} global"  # BAD: [n] frame; what a method overwrites is not forgotten
    pair.level()  # want "pair.level() frame"
    SINK.append(pair)  # want "SINK.append(pair) frame"


def levelled_and_read(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] returned" "{n} returned"  # BAD: [n] frame; what a method overwrites is not forgotten
    pair.level()  # want "pair.level() frame"
    return pair.one


def turned(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] frame" "{n} frame"
    pair.turn()  # want "pair.turn() frame"
    return n


def other_pair(one, two):
    one.one = two.one


def set_from_another(n):
    mine, other = Pair([n], {n}), Pair((n, n), [n])  # want "Pair([n], {n}) frame" "[n] global" "{n} frame" "Pair((n, n), [n]) frame" "(n, n) global" "[n] frame"  # BAD: the first [n] frame; what a function overwrites is not forgotten
    other_pair(mine, other)  # want "other_pair(mine, other) frame"
    SINK.append(mine.one)  # want "SINK.append(mine.one) frame"


def holds_itself(n):
    pair = Pair([n], None)  # want "Pair([n], None) frame" "[n] frame"
    pair.close()  # want "pair.close() frame"
    pair.one = None
    return n


def holds_itself_for_good(n):
    pair = Pair([n], None)  # want "Pair([n], None) frame" "[n] frame"
    pair.close()  # want "pair.close() frame"
    return n


class Ring:
    def __init__(self, x):
        self.items = [x]  # want "[x] instance"
        self.next = self


def whole_ring(n):
    return Ring([n]).next  # want "Ring([n]) returned" "[n] returned"


def kept_by_itself(n):
    return len(Ring([n]).items)  # want "len(Ring([n]).items) returned" "Ring([n]) frame" "[n] frame"
