#!/usr/bin/env python3
"""Coefficients of weft_erfc in kernels/lanes.h.

erfc(z) = exp(-z*z) * P(t), t = 1/(1 + z/2), for z in 0..10: P is the polynomial that interpolates
erfc(z) exp(z^2) in Chebyshev points of t, divided by t (which makes the relative error even).
Needs numpy and mpmath. Prints the coefficients, highest power first, and the largest relative error.
"""
import mpmath
import numpy

DEGREE = 8  # of P / t


def scaled(t):
    z = mpmath.mpf(2) * (1 / mpmath.mpf(t) - 1)
    return mpmath.erfc(z) * mpmath.exp(z * z) / t


mpmath.mp.dps = 40
low, high = 1 / 6.0, 1.0
points = [(low + high) / 2 + (high - low) / 2 * numpy.cos((2 * i + 1) * numpy.pi / (2 * DEGREE + 2))
          for i in range(DEGREE + 1)]
matrix = mpmath.matrix([[mpmath.mpf(t) ** j for j in range(DEGREE + 1)] for t in points])
solution = mpmath.lu_solve(matrix, mpmath.matrix([scaled(t) for t in points]))
coefficients = [numpy.float32(float(c)) for c in reversed(list(solution))]
print(", ".join(f"{float(c):.9g}f" for c in coefficients))
worst = 0
for t in numpy.linspace(low, 1, 2001):
    p = 0.0
    for c in coefficients:
        p = p * t + float(c)
    worst = max(worst, abs(p / float(scaled(t)) - 1))
print("largest relative error", worst)
