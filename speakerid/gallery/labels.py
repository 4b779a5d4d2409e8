"""What exemplars and recordings are said to come from, without the names of other people.

A label is mostly a file's name, and that may name somebody: who is deleted would stay in the voiceprint
of another person. Earlier versions also wrote there as whose a turn was heard that was named afterwards.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from speakerid.gallery import kept_recording as kept
from speakerid.gallery.names import name_key
from speakerid.gallery.voiceprint import Voiceprint

_CLOCK = r"\d+(?::\d\d){1,2}\.\d"
_HEARD_AS = re.compile(
    rf"(live|demo|recording), ({_CLOCK}) to {_CLOCK}, .*?(?=, (?:live|demo|recording), {_CLOCK} to |$)"
)
_WITHOUT_SPACES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Names:
    """Names of people, to be found in labels."""

    def __init__(self, names: Iterable[str]):
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        self._anywhere: list[str] = []
        for name in names:
            words = _words(name)
            for form in {words, ("".join(words),)} if words else ():
                self._by_first.setdefault(form[0], []).append(form)
            key = name_key(name)
            if len(key) > 1 and _WITHOUT_SPACES.search(key):
                self._anywhere.append(key)

    def is_in(self, label: str, own: str) -> bool:
        """Whether a label names one of them, apart from what is the person's own name in it."""
        mine = _words(own)
        words = _words(label)
        for at, word in enumerate(words):
            for form in self._by_first.get(word, ()):
                if words[at : at + len(form)] == form and not (set(form) <= {*mine, "".join(mine)}):
                    return True
        key, own_key = name_key(label), name_key(own)
        return any(name in key and name not in own_key for name in self._anywhere)


def neutral_labels(person: Voiceprint, others: Names, labels: Iterable[str] = ()) -> dict[str, str]:
    """The labels that name somebody else, and what is to take their place.

    Args:
        others: who must not be named.
        labels: of the person's kept recordings, beside those of the exemplars.
    """
    present = list(dict.fromkeys([*person.sources, *labels]))
    changed: dict[str, str] = {}
    number = 1
    for label in present:
        neutral = _HEARD_AS.sub(r"\1, at \2", label)
        if others.is_in(neutral, person.name):
            while (neutral := f"recording {number}") in {*present, *changed.values()}:
                number += 1
        if neutral != label:
            changed[label] = neutral
    return changed


def relabeled(person: Voiceprint, labels: dict[str, str]) -> Voiceprint:
    """The person, with these labels in the place of those."""
    return replace(person, sources=tuple(labels.get(source, source) for source in person.sources))


def naming_others(
    people: Collection[Voiceprint], recordings_of: Callable[[Voiceprint], Mapping[str, bytes]]
) -> tuple[list[Voiceprint], dict[str, bytes], int]:
    """Whose labels name somebody else of these people.

    Args:
        recordings_of: contents of somebody's kept recordings by their files.

    Returns:
        The people and the recordings as they are with neutral labels, and how many labels are changed.
    """
    names = Names(person.name for person in people)
    changed: list[Voiceprint] = []
    recordings: dict[str, bytes] = {}
    count = 0
    for person in people:
        contents = recordings_of(person)
        heard = {file: kept.label_of(content) for file, content in contents.items()}
        labels = neutral_labels(person, names, heard.values())
        if labels:
            count += len(labels)
            changed.append(relabeled(person, labels))
            recordings |= {
                file: kept.relabel(contents[file], labels[label])
                for file, label in heard.items()
                if label in labels
            }
    return changed, recordings, count


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", name_key(text)))
