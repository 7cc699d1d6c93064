# What type checkers see of memo.py: a decorated function keeps its parameters and its result. tests/test_typing.py checks it.
from collections.abc import Callable, Hashable, MutableMapping
from typing import Any, Concatenate, Generic, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, overload

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_S = TypeVar("_S", contravariant=True)

class CacheInfo(NamedTuple):
    hits: int
    misses: int
    maxsize: int | None
    currsize: int

def hashkey(*args: Hashable, **kwargs: Hashable) -> tuple[Any, ...]: ...
def typedkey(*args: Hashable, **kwargs: Hashable) -> tuple[Any, ...]: ...

class _Cached(Protocol[_P, _R]):
    __name__: str
    __qualname__: str
    @property
    def __wrapped__(self) -> Callable[_P, _R]: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @overload
    def __get__(self, instance: None, owner: type, /) -> _Cached[_P, _R]: ...
    @overload
    def __get__(self: _Cached[Concatenate[_S, _Q], _R], instance: _S, owner: type | None = None, /) -> _Cached[_Q, _R]: ...
    def cache_info(self) -> CacheInfo: ...
    def cache_clear(self) -> None: ...
    def cache_parameters(self) -> dict[str, Any]: ...

class _Decorator(Protocol):
    def __call__(self, function: Callable[_P, _R], /) -> _Cached[_P, _R]: ...

@overload
def cached(maxsize: Callable[_P, _R], typed: bool = False) -> _Cached[_P, _R]: ...
@overload
def cached(
    maxsize: int | MutableMapping[Any, Any] | None = 128,
    typed: bool = False,
    *,
    cache: MutableMapping[Any, Any] | None = None,
    key: Callable[..., Hashable] | None = None,
    method: bool | None = None,
    policy: Literal["lru", "s3fifo"] = "lru",
    maxbytes: int | None = None,
    getsizeof: Callable[[Any], int] | None = None,
    ttl: float | None = None,
    idle: float | None = None,
    clock: Callable[[], float] | None = None,
    single_flight: bool = False,
) -> _Decorator: ...
