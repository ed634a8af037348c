"""Line charts as SVG text: a few panels side by side under one title, with axes from zero and a legend."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 420, 260, 56
COLOURS = ("#b2182b", "#2166ac", "#5aae61", "#762a83", "#e08214")


def step_for(highest):
    """A round distance between the marks of an axis, for about five of them."""
    rough = max(highest, 1e-9) / 5
    power = 10 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def axis(highest, place, draw):
    """Calls draw(position, label) for every mark from 0 to `highest`."""
    step = step_for(highest)
    for mark in range(int(highest / step) + 1):
        draw(place(mark * step), f"{mark * step:g}")


def panel(left, title, x_label, y_label, lines, x_high, y_high):
    def at_x(value):
        return left + MARGIN + value / x_high * (WIDTH - MARGIN - 10)

    def at_y(value):
        return HEIGHT - value / y_high * (HEIGHT - 50) + 20

    yield text((at_x(0) + at_x(x_high)) / 2, 50, title, more=' font-weight="bold"')
    yield f'<path d="M{at_x(0):.1f} {at_y(y_high):.1f}V{at_y(0):.1f}H{at_x(x_high):.1f}" fill="none" stroke="black"/>'
    marks = []
    axis(x_high, at_x, lambda x, label: marks.append(text(x, at_y(0) + 16, label)))
    axis(y_high, at_y, lambda y, label: marks.append(text(at_x(0) - 6, y + 4, label, "end")))
    yield from marks
    yield text((at_x(0) + at_x(x_high)) / 2, at_y(0) + 34, x_label)
    yield text(at_x(0), at_y(y_high) - 6, y_label, "end")
    for number, (label, dash, points) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}/>'
        yield text(at_x(0) + 12, at_y(y_high) + 14 + 16 * number, label, "start", f' fill="{colour}"')


def panels(title, x_label, y_label, parts):
    """`parts`: pairs of a panel's title and its lines, each (label, dashes, [(x, y), ...]). All have the same axes."""
    points = [point for _, lines in parts for _, _, of_line in lines for point in of_line]
    x_high = max(x for x, _ in points)
    y_high = 1.1 * max(y for _, y in points)
    width = WIDTH * len(parts) + 10
    body = [text(width / 2, 24, title, more=' font-size="16"')]
    for number, (name, lines) in enumerate(parts):
        body += panel(number * WIDTH, name, x_label, y_label, lines, x_high, y_high)
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + 70}" font-family="sans-serif" '
                      'font-size="12">', f'<rect width="{width}" height="{HEIGHT + 70}" fill="white"/>', *body, "</svg>"]) + "\n"
