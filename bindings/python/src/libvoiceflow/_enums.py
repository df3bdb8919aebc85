"""The numbers of the C interface that stand for a choice, and what callers may write for them."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from ._errors import InvalidArgumentError


class _Growing(IntEnum):
    """Numbers that the library answers, to which newer ones may add some."""

    @classmethod
    def _missing_(cls, value: object) -> _Growing | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"{cls.__name__.upper()}_{value}", value
        return member


class Provider(_Growing):
    """The kinds of hardware that run the network."""

    AUTO = 0
    CPU = 1
    CUDA = 2
    TENSORRT = 3


class ProviderPolicy(IntEnum):
    """What happens where the provider asked for is not available: the CPU is used, or creating
    fails."""

    PREFERRED = 0
    REQUIRED = 1


class EmbeddingFamily(IntEnum):
    """The toolkits that embedding models come from; as texts "auto", "wespeaker", "3d-speaker",
    "nemo"."""

    AUTO = 0
    WESPEAKER = 1
    THREE_D_SPEAKER = 2
    NEMO = 3


class Frontend(IntEnum):
    """The recipes of the features that a speaker embedding model is given."""

    TRAINED = 0
    SHERPA = 1


class Clustering(IntEnum):
    """The ways of clustering local speakers into speakers."""

    AUTO = 0
    AVERAGE = 1
    CENTROID = 2
    VBX = 3


class Stage(_Growing):
    """What a call is at when it reports its progress."""

    WAITING = 0
    ANALYSIS = 1
    CLUSTERING = 2
    RECONSTRUCTION = 3
    LOADING = 4


class WarningCode(_Growing):
    """What a warning of a result is about."""

    SKIPPED_BYTES = 1
    LOST_AUDIO = 2
    ENDS_EARLY = 3
    INVERTED_CHANNELS = 4
    CHOSEN_TRACK = 5
    SKIPPED_TRACK = 6
    UNFOLLOWED_EDIT = 7


Choice = TypeVar("Choice", bound=IntEnum)

# A name in Python cannot begin with a digit.
_SPELLINGS = {"THREE_D_SPEAKER": "3d-speaker"}


def spelling(member: IntEnum) -> str:
    """The text that stands for `member`, such as "cuda"."""
    return _SPELLINGS.get(member.name, member.name.lower())


def choice(kind: type[Choice], value: object, what: str) -> Choice:
    """The member of `kind` that `value`, a member, its number or its text, stands for."""
    if isinstance(value, str):
        asked = value.lower().replace("_", "-")
        for member in kind:
            if spelling(member) == asked:
                return member
    # A member of another kind, and a bool, are numbers too.
    elif isinstance(value, kind) or type(value) is int:
        for member in kind:
            if value == member:
                return member
    texts = ", ".join(f'"{spelling(member)}"' for member in kind)
    raise InvalidArgumentError(f"{what}: expected one of {texts}, got {value!r}")
