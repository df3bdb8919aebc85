"""The numbers of the C interface that stand for a choice, and what callers may write for them."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from ._errors import InvalidArgumentError


class Provider(IntEnum):
    """The kinds of hardware that run the network."""

    AUTO = 0
    CPU = 1
    CUDA = 2
    TENSORRT = 3


class ProviderPolicy(IntEnum):
    """What happens where the provider asked for is not available: the CPU is used, or creating fails."""

    PREFERRED = 0
    REQUIRED = 1


class EmbeddingFamily(IntEnum):
    """The toolkits that embedding models come from; as texts "auto", "wespeaker", "3d-speaker", "nemo"."""

    AUTO = 0
    WESPEAKER = 1
    THREE_D_SPEAKER = 2
    NEMO = 3


class Frontend(IntEnum):
    """The recipes of the features that a speaker embedding model is given."""

    TRAINED = 0
    SHERPA = 1


class Clustering(IntEnum):
    """The ways of clustering voices into speakers."""

    AUTO = 0
    AVERAGE = 1
    CENTROID = 2
    VBX = 3


class Stage(IntEnum):
    """What a call is at when it tells its progress."""

    WAITING = 0
    ANALYSIS = 1
    CLUSTERING = 2
    RECONSTRUCTION = 3

    @classmethod
    def _missing_(cls, value: object) -> Stage | None:
        """A stage that this version does not know: the library may add some."""
        if not isinstance(value, int):
            return None
        stage = int.__new__(cls, value)
        stage._name_, stage._value_ = f"STAGE_{value}", value
        return stage


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
    elif isinstance(value, int) and value in list(kind):
        return kind(value)
    texts = ", ".join(f'"{spelling(member)}"' for member in kind)
    raise InvalidArgumentError(f"{what}: expected one of {texts}, got {value!r}")
