"""The audio room: every source of sound in, one format out (16 kHz mono float32 blocks); what is in it.

format     the one format                      decode      recordings: a path or bytes, whole or streamed
kinds      which files, and their limits       container   one open recording; opening, tracks, timeline,
                                                       and part, joined, riff, big_endian (headers put right)
downmix    many channels to one                resample    any rate to 16 kHz
normalize  DC and level, once at the door      live        what live sources share
vad        speech or not (silero-vad)          browser     the browser's microphone (WebRTC frames)
quality    is a recording good enough          microphone  a microphone of this computer; devices lists them
sameness   are two recordings one              replay      a recording in real time
ring       the bounded buffer between a source and whoever listens

Import from the modules; this file loads none of them, so that each costs only what it needs.
"""
