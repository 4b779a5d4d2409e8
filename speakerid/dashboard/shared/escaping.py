"""Words of others, made safe to show."""


def escaped(text: object) -> str:
    """A name, or a sentence with one in it, for where Streamlit reads Markdown: shown as it is written,
    whatever characters are in it."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:&" else c for c in str(text))
