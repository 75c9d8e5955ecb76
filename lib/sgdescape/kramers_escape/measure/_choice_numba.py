"""Shares of time in one of two valleys; random numbers as in `core.random.philox`."""

import math

import numpy as np
from numba import njit

from sgdescape.core import compiled
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import normal_pair, philox

_NOISE = np.uint32(Stream.INPUT)


@njit(error_model="numpy")
def _side(angle, width):
    """Where between the valleys: 0 in the first, 1 in the second, and the derivative."""
    turn = 3 * math.pi - angle if angle > 2 * math.pi else abs(angle) - math.pi
    sign = -1.0 if angle > 2 * math.pi or angle < 0 else 1.0
    high = math.tanh(turn / width)
    return (1 + high) / 2, sign * (1 - high * high) / (2 * width)


@njit(error_model="numpy")
def _draw(k, replica, key0, key1, numbers):
    for i in range(0, len(numbers), 2):
        words = philox(k, i, replica, _NOISE, key0, key1)
        one, other = normal_pair(words[0], words[1])
        numbers[i] = one
        if i + 1 < len(numbers):
            numbers[i + 1] = other


@compiled.kernel(error_model="numpy", nogil=True)
def shares(eta, speeds, inner, variance, width, across, burn, steps, key0, key1, out):
    """Write the share of steps after ``burn`` that each replica is in the second valley."""
    turn, sigma = 2 * math.pi, math.sqrt(variance)
    x, z = np.zeros(3 + across), np.zeros(across)
    for replica in range(len(out)):
        angle, inside = (replica % 2) * turn, 0
        z[:] = 0
        for k in range(1, burn + steps + 1):
            _draw(k, np.uint32(replica), key0, key1, x)
            side, bend = _side(angle, width)
            speed = speeds[0] + (speeds[1] - speeds[0]) * side
            g, dg = inner * (1 - side), -inner * bend
            cos, sin = math.cos(angle), math.sin(angle)
            far = 0.0
            for j in range(across):
                far += z[j] * x[3 + j]
            error = (cos - 1) * x[0] + sin * x[1] - sigma * x[2] + g * far
            move = -eta * speed * error * (cos * x[1] - sin * x[0] + dg * far)
            for j in range(across):
                z[j] -= eta * error * g * x[3 + j]
            half, _ = _side(angle + speed * move / 2, width)
            angle += (speeds[0] + (speeds[1] - speeds[0]) * half) * move
            angle = (angle + math.pi) % (2 * turn) - math.pi
            if k > burn and angle > math.pi:
                inside += 1
        out[replica] = inside / steps
