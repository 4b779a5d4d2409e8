"""Who spoke when, of a recording or a live session. Every door shows the same Conversation; no door is known.

hearing       a recording through a Listener          conversation  what came of it
analysis      the same in a thread, with progress     strangers     unknown voices told apart
log           the turns of a live session             formats       RTTM, CSV, JSON, HTML
kept_sound    sound of a session, in memory           recorded_sound  sound of a recording
"""
