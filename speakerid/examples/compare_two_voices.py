"""Is it one person in these two recordings?

python -m speakerid.examples.compare_two_voices one.wav other.ogg
"""

import sys

from speakerid import compare


def main(one: str, other: str) -> None:
    # Nobody has to be enrolled for this. Either may also be an array (float32, 16 kHz, mono), or a list of
    # several recordings of one person; two seconds of speech are worth much more than one.
    result = compare(one, other)

    # The cosine of two embeddings says little by itself: 0.4 is much for two short pieces and little for two
    # long ones. The calibration knows how long they are, and makes a likelihood ratio of it.
    print(f"cosine {result.cosine:.2f}, from {result.seconds[0]:.1f} and {result.seconds[1]:.1f} s of speech")
    print(f"likelihood ratio {result.llr:+.1f} (natural logarithm; above 0 speaks for one person)")

    # As a probability it needs to be said what was likely beforehand. Here: one person as likely as two.
    # Where you would bet 1 to 99 beforehand, add log(1 / 99) to the logarithm first.
    print(f"{result.probability:.0%} likely that it is one person")
    if not result.calibrated:
        print("(This model is not calibrated, so do not take the percentage at its word.)")


if __name__ == "__main__":
    main(*sys.argv[1:3])
