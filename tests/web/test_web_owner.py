"""Whose code a frame is."""

import pytest

from gomem.web.owner import owner_of


@pytest.mark.parametrize(
    ("function", "file", "owner"),
    [
        ("json.decoder.decode", "/usr/lib/python3.12/json/decoder.py", ("json", "standard")),
        ("importlib._bootstrap._load", "<frozen importlib._bootstrap>", ("importlib", "standard")),
        ("pandas.core.frame.f", "/x/lib/python3.12/site-packages/pandas/core/frame.py", ("pandas", "third-party")),
        ("six.f", "/usr/lib/python3/dist-packages/six.py", ("six", "third-party")),
        ("shop.orders.load", "/srv/shop/orders.py", ("shop", "own")),
        ("main", "/srv/run.py", ("run", "own")),
        ("[interpreter]", "", ("[interpreter]", "native")),
        ("encoding/json.Marshal", "/usr/local/go/src/encoding/json/encode.go", ("encoding/json", "standard")),
        ("github.com/a/b.(*T).Run", "/root/go/pkg/mod/github.com/a/b@v1.0.0/b.go", ("github.com/a/b", "third-party")),
        ("main.main", "/src/main.go", ("main", "own")),
        ("runtime.mallocgc", "", ("runtime", "standard")),
        ("std::vector::push_back", "vector.h", ("std", "native")),
        ("", "", ("unknown", "native")),
    ],
)
def test_owner(function, file, owner):
    assert owner_of(function, file) == owner


def test_a_nameless_frame_belongs_to_its_object_file():
    assert owner_of("", "", "/usr/lib/libz.so.1") == ("libz", "native")
