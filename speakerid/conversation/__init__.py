"""Who spoke when, of a recording or a live session. Every door shows the same Conversation; no door is known.

hearing       a recording, in both looks              conversation  what came of it
analysis      the same in a thread, with progress     strangers     unknown voices told apart
pieces        what the second look needs of it        second_look   who spoke when, after all was heard
voices        its groups of pieces, and whose         smoothing     forwards and backwards
turns         from pieces to turns                    at_once       who speaks beside whom
log           the turns of a live session             live_strangers  its strangers, told apart as they come
formats       RTTM, CSV, JSON, SRT, WebVTT            report        HTML
kept_sound    sound of a session, in memory           recorded_sound  sound of a recording
"""
