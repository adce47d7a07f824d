"""Interval bounds and CROWN of fully connected networks, neuron by neuron, in plain Python."""

import math


def layers_of(network):
    """[(weights, biases)] of every linear layer, as lists."""
    linear = [one for one in network if hasattr(one, "weight")]
    return [(one.weight.double().tolist(), one.bias.double().tolist()) for one in linear]


def product(a, b):
    return sum(p * q for p, q in zip(a, b, strict=True))


def box(x, epsilon):
    return [(max(0.0, v - epsilon), min(1.0, v + epsilon)) for v in x]


def interval(row, bias, ends):
    """The least and the largest value of row . t + bias, with t between the ends."""
    low = bias + sum(w * (a if w > 0 else b) for w, (a, b) in zip(row, ends, strict=True))
    high = bias + sum(w * (b if w > 0 else a) for w, (a, b) in zip(row, ends, strict=True))
    return low, high


def intervals(layers, ends):
    """The ends of every neuron before its ReLU, layer by layer."""
    found = []
    for weights, biases in layers:
        found.append([interval(w, b, ends) for w, b in zip(weights, biases, strict=True)])
        ends = [(max(0.0, low), max(0.0, high)) for low, high in found[-1]]
    return found


def lower(layers, reach, row, bias, ends):
    """CROWN: a lower bound of row . relu(last of layers) + bias."""
    for (weights, biases), before in zip(reversed(layers), reversed(reach), strict=True):
        slopes = []
        for a, (low, high) in zip(row, before, strict=True):
            if low >= 0:
                slopes.append(a)
            elif high <= 0:
                slopes.append(0.0)
            elif a > 0:
                slopes.append(a if high > -low else 0.0)
            else:
                slopes.append(a * high / (high - low))
                bias -= a * high * low / (high - low)
        bias += product(slopes, biases)
        columns = zip(*weights, strict=True)
        row = [product(slopes, column) for column in columns]
    return interval(row, bias, ends)[0]


def crown(layers, ends):
    """The ends of hidden neurons by CROWN, and no wider than those of interval arithmetic."""
    reach = []
    for number, (weights, biases) in enumerate(layers[:-1]):
        before = ends
        if number:
            before = [(max(0.0, low), max(0.0, high)) for low, high in reach[-1]]
        by_interval = [interval(w, b, before) for w, b in zip(weights, biases, strict=True)]
        found = []
        for w, b, (low, high) in zip(weights, biases, by_interval, strict=True):
            minus = [-v for v in w]
            least = lower(layers[:number], reach, w, b, ends)
            most = -lower(layers[:number], reach, minus, -b, ends)
            found.append((max(low, least), min(high, most)))
        reach.append(found)
    return reach


def margins(network, x, y, epsilon):
    """(by intervals, by CROWN): the least z_y - z_k over k, in the ball of linf."""
    layers, ends = layers_of(network), box(x, epsilon)
    weights, biases = layers[-1]
    hidden = intervals(layers[:-1], ends)
    inner = [(max(0.0, low), max(0.0, high)) for low, high in hidden[-1]] if hidden else ends
    reach, by_intervals, by_crown = crown(layers, ends), math.inf, math.inf
    for k in range(len(biases)):
        if k != y:
            row = [p - q for p, q in zip(weights[y], weights[k], strict=True)]
            bias = biases[y] - biases[k]
            by_intervals = min(by_intervals, interval(row, bias, inner)[0])
            by_crown = min(by_crown, lower(layers[:-1], reach, row, bias, ends))
    return by_intervals, by_crown
