"""What functions say of what they return is true."""

KEPT = []  # want "[] module"


class Shape:
    def __init__(self, points):
        self.points = self.shape = points

    def moved(self, by) -> "Shape":
        return self.copy(by) or self  # want "self.copy(by) returned"

    def size(self, seen):
        return len(self.points)  # want "len(self.points) returned"


class Keeper:
    def size(self, seen):
        KEPT.append(seen)  # want "KEPT.append(seen) frame"


def shape_of(thing) -> Shape:
    return thing.shape


def untold(thing):
    return thing.shape


def told(thing, n):
    return shape_of(thing).size([n]) > 1  # want "shape_of(thing).size([n]) frame" "shape_of(thing) frame" "[n] frame"


def told_by_a_method(thing, n):
    shape = shape_of(thing)  # want "shape_of(thing) frame"
    return shape.moved(n).size([n]) > 1  # want "shape.moved(n).size([n]) frame" "shape.moved(n) frame" "[n] frame"


def not_told(thing, n):
    return untold(thing).size([n]) > 1  # want "untold(thing).size([n]) frame" "untold(thing) frame" "[n] global"


class Figure:
    def draw(self, on):
        return None


class Circle(Figure):
    def draw(self, on):
        return None


class Square(Figure):
    def draw(self, on):
        return None


class Logged(Figure):
    def draw(self, on):
        KEPT.append(on)  # want "KEPT.append(on) frame"


class Printer:
    def draw(self, on):
        return on


def one_of_many(figure: Figure, n):
    return figure.draw([n]) is None  # want "figure.draw([n]) frame" "[n] global"


def none_of_those(circle: Circle, n):
    return circle.draw([n]) is None  # want "circle.draw([n]) frame" "[n] frame"


class Line:
    def __init__(self, ends):
        self.ends = ends

    def size(self, seen):
        return len(self.ends) + len(seen)  # want "len(self.ends) + len(seen) returned" "len(self.ends) frame" "len(seen) frame"


def one_of_two(thing: Shape | Line | None, n):
    return thing.size([n]) > 1  # want "thing.size([n]) frame" "[n] frame"


def one_of_any(thing: "Shape | Unheard", n):
    return thing.size([n]) > 1  # want "thing.size([n]) frame" "[n] global"
