"""Numbers of things in sentences."""


def counted(number: int, one: str, many: str = "") -> str:
    """The number with what it counts: "1 turn", "1,200 turns"; several words may follow the number.

    Args:
        one: for exactly one.
        many: for every other number, 0 too; `one` with an "s" where it is "".
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
