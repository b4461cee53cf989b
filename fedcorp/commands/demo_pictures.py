"""Pictures that the people of `fedcorp demo` attach: charts, a floor plan, landscapes, drawn here, with alt text.

Pure computing: a number gives the same picture every time. Text in them is short and in the font that Pillow brings.
"""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from fedcorp.commands.demo_plan import Dice

SIZE = (800, 500)
_INK, _PAPER, _GRID = (38, 50, 56), (250, 250, 246), (214, 218, 216)
_TONES = ((38, 108, 143), (204, 121, 43), (76, 140, 88), (142, 82, 130), (178, 58, 62))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")

Drawn = tuple[Image.Image, str]


def draw(kind: str, number: int) -> tuple[bytes, str]:
    """(PNG bytes, alt text) of a picture of this kind; each number gives another one."""
    picture, description = _KINDS[kind](Dice(7_000 + number))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), description


def _chart(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((60, 24), title, fill=_INK, font_size=26)
    for y in range(100, 421, 64):
        pen.line((60, y, 760, y), fill=_GRID, width=1)
    pen.line((60, 420, 760, 420), fill=_INK, width=2)
    return picture, pen


def _bars(dice: Dice) -> Drawn:
    title = dice.pick(("Pieces per day", "Deliveries per day", "Orders finished", "Pallets moved"))
    values = [dice.between(20, 95) for _ in _DAYS]
    picture, pen = _chart(title)
    tone = dice.pick(_TONES)
    for place, (day, value) in enumerate(zip(_DAYS, values, strict=True)):
        left, top = 90 + place * 136, 420 - value * 3.2
        pen.rectangle((left, top, left + 84, 419), fill=tone)
        pen.text((left + 42, top - 14), str(value), fill=_INK, font_size=20, anchor="ms")
        pen.text((left + 42, 450), day, fill=_INK, font_size=20, anchor="ms")
    told = ", ".join(f"{day} {value}" for day, value in zip(_DAYS, values, strict=True))
    return picture, f"Bar chart “{title}” of one week: {told}."


def _line(dice: Dice) -> Drawn:
    title = dice.pick(("Power use at night, kW", "Stock value, index", "Invoices waiting", "Open orders"))
    values = [dice.between(40, 60)]
    for _ in range(11):
        values.append(max(8, min(97, values[-1] + dice.between(-11, 10))))
    picture, pen = _chart(title)
    points = [(80 + place * 60, 420 - value * 3.2) for place, value in enumerate(values)]
    pen.line(points, fill=dice.pick(_TONES), width=5, joint="curve")
    for x, y in points:
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=_PAPER, outline=_INK, width=2)
    pen.text((60, 450), "week 1", fill=_INK, font_size=18, anchor="ls")
    pen.text((760, 450), "week 12", fill=_INK, font_size=18, anchor="rs")
    trend = "falls" if values[-1] < values[0] else "rises"
    return picture, f"Line chart “{title}” over twelve weeks: it {trend} from {values[0]} to {values[-1]}."


def _board(dice: Dice) -> Drawn:
    picture, pen = _chart("Week plan")
    pen.rectangle((58, 70, 762, 422), fill=_PAPER)
    counts = {"on time": 0, "has a plan": 0, "needs a decision": 0}
    for row in range(6):
        pen.text((60, 112 + row * 54), f"Line {row + 1}", fill=_INK, font_size=20, anchor="ls")
        for column in range(5):
            state = dice.pick(("on time", "on time", "on time", "has a plan", "needs a decision"))
            counts[state] += 1
            tone = {"on time": _TONES[2], "has a plan": _TONES[1], "needs a decision": _TONES[4]}[state]
            left, top = 150 + column * 122, 84 + row * 54
            pen.rounded_rectangle((left, top, left + 110, top + 42), radius=8, fill=tone)
    for column, day in enumerate(_DAYS):
        pen.text((205 + column * 122, 450), day, fill=_INK, font_size=20, anchor="ms")
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    return picture, f"Planning board with six lines and five days. Fields: {told}."


def _floor(dice: Dice) -> Drawn:
    picture = Image.new("RGB", SIZE, (236, 234, 226))
    pen = ImageDraw.Draw(picture)
    rooms = (("Hall A", (40, 40, 390, 240)), ("Hall B", (400, 40, 760, 240)), ("Hall C", (40, 300, 520, 460)),
             ("Workshop", (530, 300, 760, 460)))  # fmt: skip
    for name, box in rooms:
        pen.rectangle(box, fill=(252, 252, 250), outline=_INK, width=4)
        pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), name, fill=_INK, font_size=28, anchor="mm")
    marked, box = dice.pick(rooms)
    x, y = dice.between(box[0] + 40, box[2] - 40), box[3] - 40
    pen.line((20, 270, x, 270, x, y), fill=_TONES[2], width=6, joint="curve")
    pen.ellipse((x - 14, y - 14, x + 14, y + 14), fill=_TONES[4])
    return picture, f"Simple plan of the plant. A green line leads from the gate to a red dot in {marked.lower()}."


def _landscape(dice: Dice) -> Drawn:
    warm = dice.chance(50)
    picture = Image.new("RGB", SIZE)
    pen = ImageDraw.Draw(picture)
    top, bottom = ((94, 142, 190), (247, 214, 170)) if warm else ((120, 150, 172), (214, 224, 228))
    for y in range(SIZE[1]):
        part = min(1.0, y / 300)
        pen.line((0, y, SIZE[0], y), fill=tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)))
    sun = dice.between(120, 680)
    pen.ellipse((sun - 36, 130, sun + 36, 202), fill=(255, 244, 214))
    for depth, tone in enumerate(((126, 150, 138), (92, 126, 98), (64, 100, 72))):
        level = 270 + depth * 50
        ridge = [(x, level - dice.between(0, 46 - depth * 12)) for x in range(-40, 881, 80)]
        pen.polygon([(-40, 500), *ridge, (880, 500)], fill=tone)
    pen.polygon([(330, 500), (395, 392), (425, 392), (520, 500)], fill=(142, 170, 186))
    soft = picture.filter(ImageFilter.GaussianBlur(2.2))
    light = "in warm evening light" if warm else "under a pale sky"
    return soft, f"Low hills {light}, a straight canal runs towards them."


def _pallets(dice: Dice) -> Drawn:
    picture = Image.new("RGB", SIZE, (196, 200, 202))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 380, 800, 500), fill=(150, 152, 150))
    stacks = dice.between(3, 5)
    boxes = 0
    for stack in range(stacks):
        left, height = 50 + stack * 150, dice.between(2, 5)
        boxes += height
        for level in range(height):
            shade = dice.between(-12, 12)
            tone = (186 + shade, 146 + shade, 98 + shade)
            box = (left, 376 - (level + 1) * 62, left + 118, 374 - level * 62)
            pen.rectangle(box, fill=tone, outline=(120, 90, 56), width=3)
            pen.line((left + 59, box[1], left + 59, box[3]), fill=(150, 116, 74), width=8)
        pen.rectangle((left - 6, 378, left + 124, 392), fill=(120, 96, 66))
    soft = picture.filter(ImageFilter.GaussianBlur(1.2))
    return soft, f"{stacks} pallets with {boxes} brown boxes on a grey floor."


_KINDS: dict[str, Callable[[Dice], Drawn]] = {
    "bars": _bars,
    "line": _line,
    "board": _board,
    "floor": _floor,
    "landscape": _landscape,
    "pallets": _pallets,
}
