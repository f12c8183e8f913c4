"""Compiled loops over a raster of labels. They trust their arguments: the package's public functions check.

Sites are float32 (N, 2), pixels of the raster, x right, y down; labels int32 (H, W). Pixel (row, column) has its
centre at (column + 0.5, row + 0.5). All write into arrays that they are handed.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit


@njit(cache=True)
def stamp(labels, sites):
    """Give every site the pixel it is in, so that none is out of the reach of propagation."""
    height, width = labels.shape
    for i in range(sites.shape[0]):
        column = min(max(int(sites[i, 0]), 0), width - 1)
        row = min(max(int(sites[i, 1]), 0), height - 1)
        labels[row, column] = i


@njit(cache=True, fastmath=True)
def sweep_down(labels, sites):
    """One raster scan: each pixel keeps the nearest of its own, its left and its upper neighbour's site."""
    height, width = labels.shape
    for row in range(height):
        y = np.float32(row + 0.5)
        for column in range(width):
            x = np.float32(column + 0.5)
            best = labels[row, column]
            dx, dy = sites[best, 0] - x, sites[best, 1] - y
            least = dx * dx + dy * dy
            if column > 0:
                other = labels[row, column - 1]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            if row > 0:
                other = labels[row - 1, column]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            labels[row, column] = best


@njit(cache=True, fastmath=True)
def sweep_up(labels, sites):
    """The scan back: each pixel keeps the nearest of its own, its right and its lower neighbour's site."""
    height, width = labels.shape
    for row in range(height - 1, -1, -1):
        y = np.float32(row + 0.5)
        for column in range(width - 1, -1, -1):
            x = np.float32(column + 0.5)
            best = labels[row, column]
            dx, dy = sites[best, 0] - x, sites[best, 1] - y
            least = dx * dx + dy * dy
            if column < width - 1:
                other = labels[row, column + 1]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            if row < height - 1:
                other = labels[row + 1, column]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            labels[row, column] = best


@njit(cache=True)
def moments(labels, weight, sums):
    """sums[i] = (mass, x moment, y moment) of cell i under `weight`, float32 (H, W); sums is float64 (N, 3)."""
    sums[:] = 0
    height, width = labels.shape
    for row in range(height):
        y = row + 0.5
        for column in range(width):
            w = weight[row, column]
            if w > 0:
                i = labels[row, column]
                sums[i, 0] += w
                sums[i, 1] += w * (column + 0.5)
                sums[i, 2] += w * y


@njit(cache=True)
def fill_buckets(sites, side, columns, rows, starts, members):
    """Sort sites into square buckets: those of bucket b are members[starts[b] : starts[b + 1]].

    starts is int32 (columns * rows + 1,), members int32 (N,).
    """
    starts[:] = 0
    for i in range(sites.shape[0]):
        bucket = _bucket(sites[i, 1], side, rows) * columns + _bucket(sites[i, 0], side, columns)
        starts[bucket + 1] += 1
    for bucket in range(columns * rows):
        starts[bucket + 1] += starts[bucket]
    cursors = starts[1:].copy()
    for i in range(sites.shape[0] - 1, -1, -1):
        bucket = _bucket(sites[i, 1], side, rows) * columns + _bucket(sites[i, 0], side, columns)
        cursors[bucket] -= 1
        members[cursors[bucket]] = i


@njit(cache=True)
def _bucket(value, side, count):
    return min(max(int(value / side), 0), count - 1)


@njit(cache=True)
def nearest(labels, sites, side, columns, rows, starts, members, first, last):
    """Exact nearest sites for rows first to last - 1; the labels at hand only bound the search."""
    width = labels.shape[1]
    for row in range(first, last):
        y = row + 0.5
        for column in range(width):
            x = column + 0.5
            best = labels[row, column]
            least = (sites[best, 0] - x) ** 2 + (sites[best, 1] - y) ** 2
            reach = np.sqrt(least)
            for r in range(_bucket(y - reach, side, rows), _bucket(y + reach, side, rows) + 1):
                left = r * columns + _bucket(x - reach, side, columns)
                right = r * columns + _bucket(x + reach, side, columns)
                for k in range(starts[left], starts[right + 1]):
                    i = members[k]
                    distance = (sites[i, 0] - x) ** 2 + (sites[i, 1] - y) ** 2
                    if distance < least:
                        least, best = distance, i
            labels[row, column] = best


@njit(cache=True)
def onto_ink(labels, density, sites, stray, least):
    """Move sites flagged in `stray`, bool (N,), into the nearest pixel of their cell that has density.

    least is float32 (N,), scratch.
    """
    height, width = labels.shape
    least[:] = np.inf
    targets = np.full((sites.shape[0], 2), -1, np.int32)
    for row in range(height):
        for column in range(width):
            i = labels[row, column]
            if stray[i] and density[row, column] > 0:
                dx, dy = sites[i, 0] - (column + 0.5), sites[i, 1] - (row + 0.5)
                distance = np.float32(dx * dx + dy * dy)
                if distance < least[i]:
                    least[i] = distance
                    targets[i, 0], targets[i, 1] = column, row
    for i in range(sites.shape[0]):
        if targets[i, 0] >= 0:
            for axis in range(2):
                # A little inside the pixel: on its border, rounding would decide whose it is.
                low = np.float32(targets[i, axis] + 0.125)
                sites[i, axis] = min(max(sites[i, axis], low), low + np.float32(0.75))
