"""The audio room: every source of sound in, one format out (16 kHz mono float32 blocks); what is in it.

format   the one format                        decode      recordings: a path or bytes, whole or streamed
normalize   DC and level, once at the door     browser     the browser's microphone (WebRTC frames)
vad      speech or not (silero-vad)            microphone  a microphone of this computer
quality  is a recording good enough            replay      a recording in real time
ring     the bounded buffer between a source and whoever listens

Import from the modules; this file loads none of them, so that each costs only what it needs.
"""
