"""Who speaks, made even over a whole recording: a hidden Markov model heard forwards and backwards.

In each step the speaker stays, with a probability that the caller gives, or is drawn anew from `base`; so a
step costs as much as there are states, not its square. Forward-backward and Viterbi as in Rabiner, "A
tutorial on hidden Markov models", Proc. IEEE 77 (1989).
"""

import numpy as np


def posteriors(evidence: np.ndarray, base: np.ndarray, stay: np.ndarray) -> np.ndarray:
    """Probability of each state at each step, by what comes before and after it: [n, k], rows add up to 1.

    Args:
        evidence: [n, k] log-likelihoods.
        base: [k] probabilities of the states when the speaker changes, adding up to 1.
        stay: [n] probability that the speaker of the step before stays; the first does not matter.
    """
    likely = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    forward, backward = np.empty_like(likely), np.ones_like(likely)
    state = base
    for step, one in enumerate(likely):
        state = (stay[step] * state + (1 - stay[step]) * base if step else base) * one
        state = state / state.sum()
        forward[step] = state
    for step in range(len(likely) - 1, 0, -1):
        later = backward[step] * likely[step]
        later = stay[step] * later + (1 - stay[step]) * (base @ later)
        backward[step - 1] = later / later.sum()
    both = forward * backward
    return both / both.sum(axis=1, keepdims=True)


def likeliest(evidence: np.ndarray, base: np.ndarray, stay: np.ndarray) -> np.ndarray:
    """[n] int: the likeliest sequence of states (Viterbi); arguments as for `posteriors`."""
    anew = np.log(np.maximum(base, 1e-12))
    count, states = evidence.shape
    came_from = np.zeros((count, states), np.int32)
    best = anew + evidence[0]
    for step in range(1, count):
        change = np.log1p(-min(stay[step], 1 - 1e-9))
        leader = int(best.argmax())
        jump = best[leader] + change + anew
        # Drawn anew, it may be the same again.
        keep = best + np.logaddexp(np.log(max(stay[step], 1e-12)), change + anew)
        came_from[step] = np.where(keep >= jump, np.arange(int(states)), leader)
        best = np.maximum(keep, jump) + evidence[step]
    path = np.empty(count, np.int32)
    path[-1] = best.argmax()
    for step in range(count - 1, 0, -1):
        path[step - 1] = came_from[step][path[step]]
    return path
