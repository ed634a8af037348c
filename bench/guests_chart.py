"""How many times the bare machine's instructions each form of a guest takes for each primitive: bars, on a logarithmic axis."""

import math

import svg

LEFT, BAR, GAP, HIGH, TOP, FOOT = 60, 12, 22, 280, 60, 120


def draw(data, benches, forms, bare):
    """SVG text. What was not measured leaves its place empty."""
    ratios = {bench: {form: one["instructions"] / of_forms[bare]["instructions"] for form, one in of_forms.items() if form != bare}
              for bench, of_forms in data["instructions"].items() if bench in benches}
    everything = [ratio for of_forms in ratios.values() for ratio in of_forms.values()]
    low, high = math.floor(math.log10(min(1, *everything))), math.ceil(math.log10(max(10, *everything)))
    width = LEFT + len(ratios) * (len(forms) * BAR + GAP) + 20

    def at(value):
        return TOP + HIGH * (high - math.log10(value)) / (high - low)

    body = [svg.text(width / 2, 24, "A guest's primitives, in instructions of the same on the bare machine", more=' font-size="16"')]
    for power in range(low, high + 1):
        y = at(10 ** power)
        body += [f'<path d="M{LEFT} {y:.1f}H{width - 10}" stroke="{"black" if not power else "#ccc"}"/>',
                 svg.text(LEFT - 6, y + 4, f"{10 ** power:g}", "end")]
    for number, form in enumerate(forms):
        body.append(svg.text(LEFT + 110 * number, 46, form, "start", f' fill="{svg.COLOURS[number]}" font-weight="bold"'))
    for place, bench in enumerate(benches):
        if bench not in ratios:
            continue
        left = LEFT + GAP / 2 + place * (len(forms) * BAR + GAP)
        for number, form in enumerate(forms):
            if form in ratios[bench]:
                end, base = at(ratios[bench][form]), at(1)
                body.append(f'<rect x="{left + number * BAR:.1f}" y="{min(end, base):.1f}" width="{BAR - 2}" '
                            f'height="{max(abs(end - base), 1):.1f}" fill="{svg.COLOURS[number]}"/>')
        x = left + len(forms) * BAR / 2
        body.append(svg.text(x, TOP + HIGH + 16, bench, "end", f' transform="rotate(-35 {x:.1f} {TOP + HIGH + 16})"'))
    height = TOP + HIGH + FOOT
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
                      f'<rect width="{width}" height="{height}" fill="white"/>', *body, "</svg>"]) + "\n"
