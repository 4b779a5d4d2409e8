"""Files of sound that an uploader offers to choose."""

FILE_TYPES = [
    "wav",
    "flac",
    "mp3",
    "ogg",
    "opus",
    "oga",
    "m4a",
    "aac",
    "mp4",
    "webm",
    "mka",
    "mkv",
    "mov",
    "aiff",
]
