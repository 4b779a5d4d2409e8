"""Who spoke when, of a recording or a live session: turns, strangers told apart, kept sound, formats."""
